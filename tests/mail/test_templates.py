"""The texts of mails: built in, or an operator's. The start finds errors in them."""

from pathlib import Path

import pytest

from latchkey.app import MAIL_KINDS
from latchkey.mail.templates import Templates, TemplatesUnusable
from tests.kit.command_line import latchkey
from tests.kit.smtp_server import SmtpServer, settings_of

BASE = "https://accounts.example.com"
SAMPLES = {kind.name: kind.samples for kind in MAIL_KINDS}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An operator's templates, none yet."""
    directory = tmp_path / "templates"
    directory.mkdir()
    return directory


def problems(directory: Path) -> str:
    """Returns the errors of templates that cannot work."""
    with pytest.raises(TemplatesUnusable) as refusal:
        Templates(MAIL_KINDS, directory, base_url=BASE)
    return "\n".join(refusal.value.problems)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_mail_of_ours(name: str) -> None:
    """Both parts have all variables, advice for "it was not you" and the base URL. The HTML loads nothing."""
    mail = Templates(MAIL_KINDS, None, base_url=BASE).render(name, SAMPLES[name])
    assert mail.subject
    for part in (mail.text, mail.html):
        assert BASE in part
        assert any(words in part for words in ("If you did not", "If it was not you", "If you do not expect this"))
        for variable in SAMPLES[name].keys() - {"name"}:
            assert SAMPLES[name][variable] in part, variable
    assert not any(sign in mail.html for sign in ("src=", "url(", "<link", "<script", "@import"))
    assert {file.stem for kind in MAIL_KINDS for file in kind.templates.iterdir()} == set(SAMPLES)


def test_one_file_is_replaced(directory: Path) -> None:
    """Each file stands for ours of the same name, the others stay; they may include files of their own."""
    (directory / "_foot.txt").write_text("The Example team, {{ base_url }}")
    (directory / "reset-link.txt").write_text(
        "Subject: Ihr Kennwort, {{ name }}\r\n\r\n{{ link }}\r\n{% include '_foot.txt' %}"
    )
    templates, ours = Templates(MAIL_KINDS, directory, base_url=BASE), Templates(MAIL_KINDS, None, base_url=BASE)
    mail = templates.render("reset-link", SAMPLES["reset-link"])
    assert mail.subject == "Ihr Kennwort, Siam"
    assert mail.text == f"{SAMPLES['reset-link']['link']}\nThe Example team, {BASE}"
    assert mail.html == ours.render("reset-link", SAMPLES["reset-link"]).html
    assert templates.render("new-device", SAMPLES["new-device"]) == ours.render("new-device", SAMPLES["new-device"])


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("reset-link.txt", "{{ link }}", "reset-link.txt: must begin with a line `Subject: …` and an empty line"),
        ("reset-link.txt", "Subject: x\n{{ link }}", "reset-link.txt: must begin with"),
        ("reset-link.txt", "Subject: {{\n\n{{ link }}", "reset-link.txt: line 1: "),
        ("reset-link.txt", "Subject: x\n\n{{ link }}\n{% if %}", "reset-link.txt: line 4: "),
        (
            "reset-link.html",
            "{% if name == 'never' %}{{ lnk }}{% endif %}",
            "reset-link.html: unknown variable lnk; this mail has base_url, ",
        ),
        ("new-device.txt", "Subject: {{ link }}\n\nx", "new-device.txt: unknown variable link; "),
        ("reset-link.html", "{{ name.foo }}", "reset-link: cannot be rendered: "),
        ("reset-link.html", "{{ name + 1 }}", "reset-link: cannot be rendered: "),
        ("reset-link.html", "{{ ''.__class__.__mro__ }}", "reset-link: cannot be rendered: "),
        ("reset-link.html", "{% include 'nowhere.html' %}", "reset-link: cannot be rendered: 'nowhere.html' not found"),
        ("reset-link.html", "  ", "reset-link: subject, text or HTML is empty"),
        ("reset_link.html", "x", "reset_link.html: belongs to no mail. Mails are confirm-email, "),
        ("reset-link.html", "caf\udce9", "reset-link.html: cannot be read: UnicodeDecodeError"),
    ],
)
def test_what_cannot_work_is_named(directory: Path, file: str, content: str, problem: str) -> None:
    """File, line where there is one, and reason: also in a branch that the try does not take."""
    (directory / file).write_bytes(content.encode(errors="surrogateescape"))
    assert problem in problems(directory)


def test_found_before_anybody_needs_a_mail(directory: Path, database: str, tmp_path: Path) -> None:
    """`serve` does not start, and `doctor` reports the same: all errors at once, with advice."""
    (directory / "reset-link.html").write_text("{{ lnk }}")
    (directory / "new-device.txt").write_text("no subject")
    with SmtpServer() as smtp:
        settings = settings_of(smtp) | {"MAIL_TEMPLATES": str(directory)}
        refusal = latchkey("serve", directory=tmp_path, dsn=database, **settings).refusal()
        assert "The mail templates have errors:" in refusal
        assert "  - reset-link.html: unknown variable lnk" in refusal
        assert "  - new-device.txt: must begin" in refusal
        doctor = latchkey("doctor", directory=tmp_path, dsn=database, **settings)
    assert doctor.code == 1
    assert "problem  MAIL_TEMPLATES: new-device.txt: must begin" in doctor.out
    assert "reset-link.html: unknown variable lnk" in doctor.out
    assert problems(directory / "nowhere") == f"{directory / 'nowhere'}: is not a directory"
