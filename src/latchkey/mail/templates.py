"""The texts of mails: our own, or an operator's in their place; all checked before the first is needed.

A mail NAME is NAME.txt (first line `Subject: …`, an empty line, the text) and NAME.html, whose values are escaped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

OWN = Path(__file__).parent / "templates"
SUBJECT = "Subject: "

_ACCOUNT = {"email": "siam@example.com", "name": "Siam"}
_LINK = {"link": "https://accounts.example.com/page#token=0123"}
_EVENT = {"email": "siam@example.com", "time": "2026-01-02 03:04 UTC", "ip": "192.0.2.1"}

SAMPLES: Mapping[str, Mapping[str, str]] = {
    "reset-link": {**_ACCOUNT, **_LINK, "minutes": "15"},
    "verify-email": {**_ACCOUNT, **_LINK, "hours": "24"},
    "confirm-email": {**_ACCOUNT, **_LINK, "hours": "24"},
    "invitation": {"email": "siam@example.com", **_LINK, "hours": "72"},
    "password-changed": _EVENT,
    "email-changed": _EVENT,
    "new-device": {**_EVENT, "device": "Firefox on Linux"},
}
"""Every mail, and the variables that its composer gives, with values to try the template with. docs/mail.md lists
them. A new mail is a line here, two files, and a composer in app.py."""


class TemplatesUnusable(Exception):
    """Mails could not be made of these templates; `problems` names each file and its trouble."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The mail templates cannot work:\n" + "\n".join(f"  - {problem}" for problem in problems))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail's texts. They may hold a secret."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Parts:
    subject: Template
    text: Template
    html: Template


class _Faulty(Exception):
    pass


class Templates:
    """Renders mails. `base_url` is a variable of every template."""

    def __init__(self, directory: Path | None, *, base_url: str) -> None:
        """Reads and tries all templates; a file in `directory` (MAIL_TEMPLATES) stands for ours of the same name.

        Raises TemplatesUnusable for a directory or file that cannot be read, a syntax error, an unknown variable, a
        text without its subject, or a file that is no mail's.
        """
        if directory is not None and not directory.is_dir():
            raise TemplatesUnusable([f"{directory}: is no directory"])
        places = [OWN] if directory is None else [directory, OWN]
        loader = FileSystemLoader(places)
        self._plain = ImmutableSandboxedEnvironment(loader=loader, undefined=StrictUndefined, autoescape=False)
        self._html = ImmutableSandboxedEnvironment(loader=loader, undefined=StrictUndefined, autoescape=True)
        self._base_url = base_url
        self._parts: dict[str, _Parts] = {}
        problems = [] if directory is None else _strangers(directory)
        for name in SAMPLES:
            try:
                self._parts[name] = self._read(name)
            except _Faulty as error:
                problems.append(str(error))
        if problems:
            raise TemplatesUnusable(problems)

    def render(self, name: str, context: Mapping[str, str]) -> Rendered:
        """The mail NAME with these values."""
        return self._render(self._parts[name], context)

    def _render(self, parts: _Parts, context: Mapping[str, str]) -> Rendered:
        values = {**context, "base_url": self._base_url}
        # One line, whatever a name holds: the next one would be another header.
        subject = " ".join("".join(c if c.isprintable() else " " for c in parts.subject.render(values)).split())
        return Rendered(subject, parts.text.render(values), parts.html.render(values))

    def _read(self, name: str) -> _Parts:
        first, _, rest = self._source(name, ".txt").partition("\n")
        if not first.startswith(SUBJECT) or rest[:1] not in {"", "\n"}:
            raise _Faulty(f"{name}.txt: must begin with a line `{SUBJECT}…` and an empty line")
        subject = self._compiled(name, ".txt", first.removeprefix(SUBJECT), self._plain)
        # The two lines before count, so that messages name the right one.
        text = self._compiled(name, ".txt", "{#\n\n#}" + rest.removeprefix("\n"), self._plain)
        html = self._compiled(name, ".html", self._source(name, ".html"), self._html)
        parts = _Parts(subject, text, html)
        try:
            rendered = self._render(parts, SAMPLES[name])
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise _Faulty(f"{name}: cannot be rendered: {error}") from None
        if not (rendered.subject and rendered.text.strip() and rendered.html.strip()):
            raise _Faulty(f"{name}: subject, text or HTML is empty")
        return parts

    def _source(self, name: str, suffix: str) -> str:
        file = f"{name}{suffix}"
        assert self._plain.loader is not None
        try:
            return self._plain.loader.get_source(self._plain, file)[0].replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError, TemplateError) as error:
            raise _Faulty(f"{file}: cannot be read: {type(error).__name__}") from None

    def _compiled(self, name: str, suffix: str, source: str, environment: ImmutableSandboxedEnvironment) -> Template:
        file = f"{name}{suffix}"
        try:
            unknown = meta.find_undeclared_variables(environment.parse(source)) - SAMPLES[name].keys() - {"base_url"}
            template = environment.from_string(source)
        except TemplateSyntaxError as error:
            raise _Faulty(f"{file}: line {error.lineno}: {error.message}") from None
        if unknown:
            known = ", ".join(sorted([*SAMPLES[name], "base_url"]))
            raise _Faulty(f"{file}: uses {', '.join(sorted(unknown))}; this mail has {known}")
        return template


def _strangers(directory: Path) -> list[str]:
    """A misspelt name would be ignored in silence. Files that others include begin with an underscore."""
    return [
        f"{file.name}: there is no such mail; there are {', '.join(SAMPLES)} (included files begin with _)"
        for file in sorted(directory.iterdir())
        if file.suffix in {".txt", ".html"} and not file.name.startswith(("_", ".")) and file.stem not in SAMPLES
    ]
