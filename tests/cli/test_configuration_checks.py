"""What each check says of settings that do not work together."""

from pathlib import Path
from typing import Any

import pytest

from latchkey.app import Settings
from latchkey.cli import configuration_checks as checks
from latchkey.cli.feature_checks import check_features
from latchkey.settings import SettingsError, load_settings

HTTPS = "https://accounts.example.com"


pytestmark = pytest.mark.usefixtures("nothing_set")


@pytest.mark.parametrize(
    ("check", "settings", "level"),
    [
        (checks.public_url, {"public_url": HTTPS}, "ok"),
        (checks.public_url, {"public_url": "http://localhost:3000"}, "ok"),
        (checks.public_url, {"public_url": "http://accounts.example.com"}, "problem"),
        (checks.public_url, {}, "problem"),
        (checks.environment, {"environment": "development"}, "warning"),
        (checks.environment, {"environment": "production"}, "ok"),
        (checks.public_url, {"environment": "development"}, "ok"),
        (checks.cors_origins, {"public_url": HTTPS}, "ok"),
        (checks.cors_origins, {"public_url": HTTPS, "cors_origins": "https://app.example.com"}, "ok"),
        (checks.cors_origins, {"public_url": HTTPS, "cors_origins": "https://example.com:8443"}, "ok"),
        (checks.cors_origins, {"public_url": HTTPS, "cors_origins": "https://app.example.org"}, "warning"),
        (checks.cors_origins, {"public_url": HTTPS, "cors_origins": "http://app.example.com"}, "problem"),
        (checks.cors_origins, {"public_url": HTTPS, "cors_origins": "http://localhost:5173"}, "warning"),
        (checks.cors_origins, {"public_url": "https://192.0.2.1", "cors_origins": "https://203.0.2.1"}, "warning"),
        (checks.cors_origins, {"environment": "development"}, "ok"),
        (checks.cors_origins, {"environment": "development", "cors_origins": "http://127.0.0.1:5173"}, "warning"),
        (checks.cookie_prefix, {"cookie_prefix": "__Host-"}, "ok"),
        (checks.cookie_prefix, {"cookie_prefix": "__Host-", "environment": "development"}, "problem"),
        (checks.cookie_prefix, {"cookie_prefix": "__Secure-", "environment": "development"}, "problem"),
        (checks.cookie_domain, {"public_url": HTTPS}, "ok"),
        (checks.cookie_domain, {"public_url": HTTPS, "cookie_domain": "example.com"}, "ok"),
        (checks.cookie_domain, {"environment": "development"}, "ok"),
        (checks.rate_limit_storage, {}, "warning"),
        (checks.rate_limit_storage, {"rate_limit_storage": "redis://:hunter2@127.0.0.1"}, "ok"),
        (checks.rate_limit_storage, {"environment": "development"}, "ok"),
        (checks.trusted_proxies, {}, "warning"),
        (checks.trusted_proxies, {"host": "::1"}, "warning"),
        (checks.trusted_proxies, {"host": "0.0.0.0"}, "warning"),  # noqa: S104 nobody listens
        (checks.trusted_proxies, {"host": "::"}, "warning"),
        (checks.trusted_proxies, {"host": "192.0.2.1", "environment": "development"}, "warning"),
        (checks.trusted_proxies, {"host": "::", "trusted_proxies": "10.0.0.7"}, "ok"),
        (checks.trusted_proxies, {"trusted_proxies": "127.0.0.1, 10.0.0.0/8, fd00::/8"}, "problem"),
        (checks.trusted_proxies, {"trusted_proxies": "127.0.0.1,10.0.0.0/8,fd12::/16"}, "ok"),
        (checks.trusted_proxies, {"trusted_proxies": "0.0.0.0/0"}, "problem"),
        (checks.trusted_proxies, {"trusted_proxies": "0.0.0.0/1,128.0.0.0/1"}, "problem"),
        (checks.trusted_proxies, {"trusted_proxies": "::/0"}, "problem"),
        (checks.trusted_proxies, {"environment": "development"}, "ok"),
        (checks.mail, {}, "warning"),
        (checks.mail, {"smtp_url": "smtp://u:hunter2@mail.example.com", "mail_from": "a@example.com"}, "ok"),
        (checks.mail, {"environment": "development"}, "ok"),
        (checks.return_url, {"public_url": HTTPS}, "ok"),
        (checks.return_url, {"public_url": HTTPS, "return_url": "http://app.example.com"}, "problem"),
        (checks.return_url, {"public_url": HTTPS, "return_url": "HTTP://app.example.com/#/start"}, "problem"),
        (checks.return_url, {"public_url": HTTPS, "return_url": "https://app.example.org/"}, "ok"),
        (checks.return_url, {"public_url": HTTPS, "return_url": "http://localhost:5173/"}, "ok"),
        (checks.return_url, {"environment": "development", "return_url": "http://app.example.com"}, "ok"),
    ],
)
def test_levels(check: Any, settings: dict[str, Any], level: str) -> None:
    """A problem cannot work. A warning may surprise the operator. Both say what to do."""
    finding = check(load_settings(Settings, **{"environment": "production"} | settings))
    assert finding.level == level, finding
    assert (finding.advice is None) == (level == "ok")
    assert "hunter2" not in repr(finding)


@pytest.mark.parametrize(
    ("name", "settings", "level"),
    [
        ("REQUIRE_VERIFIED_EMAIL", {"require_verified_email": True}, "problem"),
        ("CONFIRM_EMAIL_CHANGE", {"confirm_email_change": True}, "problem"),
        ("NEW_DEVICE_MAIL", {"new_device_mail": True}, "problem"),
        ("REQUIRE_VERIFIED_EMAIL", {"environment": "development", "require_verified_email": True}, "ok"),
        ("RESET_URL", {"public_url": HTTPS}, "ok"),
        ("RESET_URL", {"public_url": HTTPS, "reset_url": f"{HTTPS}/forgotten"}, "ok"),
        ("RESET_URL", {"public_url": HTTPS, "reset_url": "http://app.example.com/reset"}, "problem"),
        ("VERIFY_URL", {"public_url": HTTPS, "verify_url": "http://app.example.com/verify"}, "problem"),
        ("VERIFY_URL", {"public_url": HTTPS, "verify_url": "https://app.example.com/verify"}, "warning"),
        (
            "VERIFY_URL",
            {
                "public_url": HTTPS,
                "cors_origins": "https://app.example.com",
                "verify_url": "https://app.example.com/verify",
            },
            "ok",
        ),
        ("RESET_URL", {"public_url": HTTPS, "reset_url": "HTTP://app.example.com/reset"}, "problem"),
        ("RESET_URL", {"environment": "development", "reset_url": "http://localhost:5173/reset"}, "ok"),
        ("SIGN_IN_URL", {"public_url": HTTPS}, "ok"),
        ("SIGN_IN_URL", {"public_url": HTTPS, "sign_in_url": "https://app.example.com/in?x=1"}, "ok"),
        ("SIGN_IN_URL", {"public_url": HTTPS, "sign_in_url": "http://app.example.com/in"}, "problem"),
        ("SIGN_IN_URL", {"environment": "development", "sign_in_url": "http://app.example.com/in"}, "ok"),
    ],
)
def test_levels_of_what_features_check(name: str, settings: dict[str, Any], level: str) -> None:
    findings = check_features(load_settings(Settings, **{"environment": "production"} | settings))
    [finding] = [each for each in findings if each.check == name]
    assert finding.level == level, finding
    assert (finding.advice is None) == (level == "ok")


@pytest.mark.parametrize(
    ("origins", "said"),
    [
        ("https://app.example.com", True),
        ("https://app.example.com,https://accounts.example.com:8443", True),
        ("https://app.example.org", True),
        ("https://accounts.example.com:8443", False),
    ],
)
def test_which_api_gets_the_cookies(origins: str, said: bool) -> None:
    """Says so where a page is on another host: signing in there does not mean that an API there gets the cookies."""
    finding = checks.cors_origins(
        load_settings(Settings, environment="production", public_url=HTTPS, cors_origins=origins)
    )
    assert ("your API gets the cookies only on" in f"{finding.message} {finding.advice}") == said


def test_which_layouts_work() -> None:
    """Says where an API gets which cookie, and why one elsewhere gets none."""
    production: dict[str, Any] = {"environment": "production", "public_url": HTTPS}
    alone = checks.cookie_domain(load_settings(Settings, **production))
    assert "an API on accounts.example.com gets the cookies, at any path and port" in alone.message
    assert "since the cookies have no Domain" in alone.message
    settings = load_settings(
        Settings,
        **production,
        cookie_domain="example.com",
        cors_origins="https://app.example.com,https://app.example.org",
    )
    shared = checks.cookie_domain(settings)
    assert "an API on example.com or any host below it gets the access cookie" in shared.message
    assert "every other program there" in shared.message
    assert "the refresh cookie stays on accounts.example.com" in shared.message
    foreign = checks.cors_origins(settings)
    assert foreign.level == "warning"
    assert "https://app.example.org seems to be another site" in foreign.message
    assert "your API gets the access cookie on example.com and every host below it" in str(foreign.advice)


@pytest.mark.parametrize(
    "url", ["app.example.com/in", "https://app.example.com/in#x", "javascript:alert(1)", "https://ä.example"]
)
def test_a_sign_in_page_is_a_page(url: str) -> None:
    with pytest.raises(SettingsError, match="SIGN_IN_URL: must be an absolute http or https URL"):
        load_settings(Settings, sign_in_url=url)


@pytest.mark.parametrize(("mode", "level"), [(0o600, "ok"), (0o400, "ok"), (0o640, "problem"), (0o604, "problem")])
def test_kept_secrets(tmp_path: Path, mode: int, level: str) -> None:
    """The file of `latchkey dev` is for its owner alone."""
    kept = tmp_path / "secrets.json"
    kept.write_text("{}")
    kept.chmod(mode)
    settings = load_settings(Settings, environment="development", data_dir=tmp_path)
    assert checks.kept_secrets(settings).level == level


def test_public_url_is_written_as_browsers_write_origins() -> None:
    """Origins are compared as text: an international host would never match, and every change from a page would be
    refused."""
    with pytest.raises(SettingsError, match="xn--"):
        load_settings(Settings, public_url="https://b\u00fccher.example")
    url = "https://xn--bcher-kva.example"
    assert load_settings(Settings, public_url=url).public_url == url
