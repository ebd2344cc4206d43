"""What the examples say, also of the proxies that no test runs."""

import re

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package apart

from latchkey.features.forward_auth.headers import HEADERS
from tests.kit.example_proxies import EXAMPLES

NAMES = {name.lower() for name in HEADERS}


@pytest.mark.parametrize(
    ("file", "listed"),
    [
        ("nginx/forward-auth.conf", r"proxy_set_header (X-(?:User|Session|Auth|Actor)-\w+)"),
        ("nginx/forward-auth.conf", r"\$upstream_http_(x_(?:user|session|auth|actor)_\w+);"),
        ("caddy/Caddyfile", r"(?<=[ \t])(X-(?:User|Session|Auth|Actor)-\w+)"),
        ("traefik/forward-auth.yml", r"- (X-(?:User|Session|Auth|Actor)-\w+)"),
        ("envoy/envoy.yaml", r"(?:header_name: |[ \[])(x-(?:user|session|auth|actor)-\w+)(?=[,\]])"),
    ],
)
def test_each_header_is_set_or_removed(file: str, listed: str) -> None:
    """One that an example forgets is one that a client may forge."""
    found = {name.lower().replace("_", "-") for name in re.findall(listed, (EXAMPLES / file).read_text())}
    assert found == NAMES


@pytest.mark.parametrize("file", ["traefik/forward-auth.yml", "envoy/envoy.yaml"])
def test_what_is_not_run_says_so(file: str) -> None:
    """And can be read at least."""
    text = (EXAMPLES / file).read_text()
    assert "NOT RUN by Latchkey's tests" in text
    assert yaml.safe_load(text)


def test_envoy_reads_what_access_tokens_say() -> None:
    """Its keys, its cookie and its claims are those of Latchkey."""
    document = yaml.safe_load((EXAMPLES / "envoy" / "envoy.yaml").read_text())
    [chain] = document["static_resources"]["listeners"][0]["filter_chains"]
    [manager] = chain["filters"]
    filters = {each["name"]: each["typed_config"] for each in manager["typed_config"]["http_filters"]}
    provider = filters["envoy.filters.http.jwt_authn"]["providers"]["latchkey"]
    assert provider["remote_jwks"]["http_uri"]["uri"].endswith("/.well-known/jwks.json")
    assert provider["from_cookies"] == ["accessToken"]
    claims = {each["claim_name"].partition(".")[0] for each in provider["claim_to_headers"]}
    assert claims <= {"sub", "role", "sid", "auth_time", "act"}
    virtual_hosts = manager["typed_config"]["route_config"]["virtual_hosts"]
    assert {"cookie", "authorization"} <= set(virtual_hosts[0]["request_headers_to_remove"])
