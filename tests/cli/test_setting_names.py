"""Names that resemble a setting, and values that end with a newline: the start and doctor warn about them."""

from pathlib import Path

import pytest

from latchkey.app import Settings
from latchkey.settings import load_settings, setting_warnings
from tests.kit.command_line import latchkey

pytestmark = pytest.mark.usefixtures("nothing_set")


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, where `.env` is read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("RATE_LIMTI", "RATE_LIMIT"),
        ("CORS_ORIGIN", "CORS_ORIGINS"),
        ("JWT_ACESS_SECRET", "JWT_ACCESS_SECRET"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("latchkey_smtp_url", "SMTP_URL"),
    ],
)
def test_a_misspelt_name_is_said(directory: Path, name: str, meant: str) -> None:
    (directory / ".env").write_text(f"{name}=something\n")
    [warning] = setting_warnings(Settings)
    assert warning.name == name
    assert meant in warning.advice


@pytest.mark.parametrize(
    "name", ["HOSTNAME", "HOME", "USER", "MAILTO", "SESSION_MANAGER", "NODE_ENV", "POSTGRES_HOST", "PYTHONPATH"]
)
def test_other_names_are_not(directory: Path, name: str) -> None:
    (directory / ".env").write_text(f"{name}=production\n")
    assert setting_warnings(Settings) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_a_newline_at_the_end_is_left_out_and_said(directory: Path, end: str) -> None:
    secret = "a secret of more than thirty-two bytes"
    (directory / ".env").write_text(f'JWT_ACCESS_SECRET="{secret}{end}"\n', newline="")
    kept = load_settings(Settings).jwt_access_secret
    assert kept is not None
    assert kept.get_secret_value() == secret
    [warning] = setting_warnings(Settings)
    assert (warning.name, warning.message) == ("JWT_ACCESS_SECRET", "ends with a newline, which is ignored")


def test_doctor_says_so(tmp_path: Path) -> None:
    result = latchkey("doctor", directory=tmp_path, RATE_LIMITS="5/minute", ENVIRONMENT="development")
    assert "RATE_LIMITS: is not a setting and is ignored" in result.out
    assert "write RATE_LIMIT, if you mean that" in result.out
