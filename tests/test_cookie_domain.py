"""COOKIE_DOMAIN: only what browsers keep cookies for; the refusal says what to do."""

from pathlib import Path

import pytest

from latchkey.app import Settings
from latchkey.settings import SettingsError, load_settings
from tests.kit.command_line import latchkey

HTTPS = "https://accounts.eu.example.com/auth"

pytestmark = pytest.mark.usefixtures("nothing_set")


@pytest.mark.parametrize("domain", ["example.com", "eu.example.com", "accounts.eu.example.com", ""])
def test_the_host_of_public_url_and_its_parents(domain: str) -> None:
    assert load_settings(Settings, public_url=HTTPS, cookie_domain=domain).cookie_domain == domain


@pytest.mark.parametrize(
    ("domain", "advice"),
    [
        ("example.org", "must be the host of PUBLIC_URL (accounts.eu.example.com) or a parent domain of it"),
        ("ample.com", "must be the host of PUBLIC_URL"),
        ("app.eu.example.com", "must be the host of PUBLIC_URL"),
        ("x.accounts.eu.example.com", "must be the host of PUBLIC_URL"),
        ("com", "com is a public suffix"),
        ("localhost", "localhost is a public suffix"),
        ("co.uk", "co.uk is a public suffix"),
        ("com.au", "name a domain of your own below it"),
        ("github.io", "github.io is a public suffix"),
        (".example.com", "a dot in front"),
        ("example.com.", "must be a domain such as example.com"),
        ("Example.com", "lower case"),
        ("https://example.com", "without scheme"),
        ("example.com:8443", "port"),
        ("example.com/x", "path"),
        ("*.example.com", "must be a domain"),
        ("192.0.2.1", "must be a domain"),
        ("[::1]", "must be a domain"),
        ("exa mple.com", "must be a domain"),
        ("example.com; Secure", "must be a domain"),
        ("münchen.example", "must be a domain"),
        ("a..example.com", "must be a domain"),
    ],
)
def test_what_browsers_would_not_keep(domain: str, advice: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(Settings, public_url=HTTPS, cookie_domain=domain)
    [problem] = refused.value.problems
    assert problem.startswith("COOKIE_DOMAIN: ")
    assert advice in problem


def test_needs_public_url() -> None:
    """The host of requests may be anything."""
    with pytest.raises(SettingsError, match="COOKIE_DOMAIN: needs PUBLIC_URL"):
        load_settings(Settings, cookie_domain="example.com")


def test_not_with_the_prefix_of_one_host() -> None:
    """Browsers refuse a cookie __Host-… with a domain. __Secure- goes with it."""
    with pytest.raises(SettingsError, match="COOKIE_DOMAIN: cannot be set with COOKIE_PREFIX=__Host-"):
        load_settings(Settings, public_url=HTTPS, cookie_domain="example.com", cookie_prefix="__Host-")
    together = load_settings(Settings, public_url=HTTPS, cookie_domain="example.com", cookie_prefix="__Secure-")
    assert together.cookie_domain == "example.com"


@pytest.mark.parametrize("command", ["serve", "doctor"])
def test_serve_and_doctor_say_it_beside_the_rest(command: str, tmp_path: Path) -> None:
    """All at once, whatever else is wrong."""
    result = latchkey(
        command,
        directory=tmp_path,
        dsn="postgresql://127.0.0.1:1/nothing",
        ENVIRONMENT="production",
        PUBLIC_URL=HTTPS,
        COOKIE_DOMAIN="example.org",
        COOKIE_PREFIX="__Secure-",
        PORT="0",
    )
    assert result.code == 1
    printed = result.out + result.err
    assert "COOKIE_DOMAIN: must be the host of PUBLIC_URL" in printed
    assert "PORT: " in printed
