"""Checks the domain for which browsers are to keep the access cookie (RFC 6265bis, section 5.7)."""

import re
from urllib.parse import urlsplit

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.ASCII)
# What the public suffix list says most often, without the list: a registry's second level below a country, and hosts of
# other people's applications. Browsers, which have the list, refuse the others.
_REGISTRY = re.compile(r"(ac|co|com|edu|gob|gouv|gov|mil|ne|net|or|org)\.[a-z]{2}", re.ASCII)
_SHARED = frozenset(
    {
        "appspot.com", "azurewebsites.net", "cloudfront.net", "fly.dev", "github.io", "gitlab.io", "herokuapp.com",
        "netlify.app", "onrender.com", "pages.dev", "run.app", "up.railway.app", "vercel.app", "web.app", "workers.dev",
    }
)  # fmt: skip


def cookie_domain_problem(domain: str, *, public_url: str, cookie_prefix: str) -> str | None:
    """Returns what is wrong with COOKIE_DOMAIN beside these two settings, or None. Empty: not set."""
    if not domain:
        return None
    if (problem := _form_problem(domain)) is not None:
        return problem
    if cookie_prefix == "__Host-":
        return "cannot be set with COOKIE_PREFIX=__Host-, which keeps cookies on one host: unset one of them"
    host = _host_of(public_url)
    if host is None:
        return "needs PUBLIC_URL, whose host must be that domain or below it"
    if host != domain and not host.endswith(f".{domain}"):
        return f"must be the host of PUBLIC_URL ({host}) or a parent domain of it"
    return None


def _form_problem(domain: str) -> str | None:
    if not _DOMAIN.fullmatch(domain) or domain.rpartition(".")[2].isdigit():
        return "must be a domain such as example.com: lower case, without scheme, port, path or a dot in front"
    if "." not in domain or _REGISTRY.fullmatch(domain) or domain in _SHARED:
        return f"{domain} is a public suffix, for which browsers keep no cookies: name a domain of your own below it"
    return None


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
