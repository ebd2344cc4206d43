"""CORS_ORIGINS and PUBLIC_URL: only what a browser would send as an origin is accepted; the refusal says what works."""

from typing import Any

import pytest

from latchkey.app import Settings
from latchkey.settings import SettingsError, load_settings

pytestmark = pytest.mark.usefixtures("nothing_set")


@pytest.mark.parametrize(
    ("origin", "advice"),
    [
        ("https://*.example.com", "wildcards are not supported"),
        ("*", "wildcards are not supported"),
        ("https://app.example.com https://www.example.com", "separate origins by commas"),
        ("https://app.exa mple.com", "separate origins by commas"),
        ("https://münchen.example", "write https://xn--mnchen-3ya.example"),
        ("https://例え.jp:8443", "write https://xn--r8jz45g.jp:8443"),
        ("https://APP.example.com", "write https://app.example.com"),
        ("https://app.example.com/", "write https://app.example.com"),
        ("https://app.example.com/sign-in?x=1#y", "write https://app.example.com"),
        ("https://app.example.com:443", "write https://app.example.com"),
        ("http://app.example.com:80", "write http://app.example.com"),
        ("https://user@app.example.com", "write scheme://host"),
        ("app.example.com", "write scheme://host"),
        ("null", "write scheme://host"),
        ("ftp://app.example.com", "write scheme://host"),
        ("https://app.example.com:port", "write scheme://host"),
        ("https://app_.-.example.com", "as browsers send it"),
    ],
)
def test_what_is_no_origin(origin: str, advice: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(Settings, cors_origins=origin)
    [problem] = refused.value.problems
    assert problem.startswith("CORS_ORIGINS: ")
    assert advice in problem


@pytest.mark.parametrize(
    "origins",
    [
        "https://app.example.com",
        "https://app.example.com:8443, http://localhost:5173",
        "http://127.0.0.1:3000,http://[::1]:3000",
        "https://xn--mnchen-3ya.example",
        "https://my_app.example.com",
    ],
)
def test_origins(origins: str) -> None:
    assert load_settings(Settings, cors_origins=origins).cors_origins == tuple(origins.replace(" ", "").split(","))


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("https://münchen.example/accounts", "https://xn--mnchen-3ya.example"),
        ("https://*.example.com", "wildcards"),
        ("https://accounts.exa mple.com", "absolute http or https URL"),
        ("accounts.example.com", "absolute http or https URL"),
    ],
)
@pytest.mark.parametrize("name", ["public_url", "return_url"])
def test_urls_of_ours_have_one_host_in_ascii(name: str, url: str, advice: str) -> None:
    given: dict[str, Any] = {name: url}
    with pytest.raises(SettingsError) as refused:
        load_settings(Settings, **given)
    assert advice in refused.value.problems[0]
