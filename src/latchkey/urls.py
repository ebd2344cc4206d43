"""Checks that URLs in settings are valid and unambiguous."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?", re.ASCII)
_HOST = re.compile(r"(\[[^]]*\]|[^:]*)(:\d{1,5})?")


def origin_of(url: str) -> str | None:
    """Returns the origin of an http(s) URL (scheme://host[:port], lower case, no default port), or None."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = 443 if parts.scheme == "https" else 80
    return f"{parts.scheme}://{host}" if port in {None, default} else f"{parts.scheme}://{host}:{port}"


def host_problem(url: str) -> str | None:
    """Returns what is wrong with an http(s) URL whose origin browsers compare, or None."""
    origin = origin_of(url)
    if origin is None or any(character.isspace() for character in url):
        return "must be an absolute http or https URL"
    host = urlsplit(origin).hostname or ""
    if "*" in host:
        return "must name one host: wildcards are not supported"
    if not host.isascii():
        return f"must have the ASCII form of its host, as browsers send it: {_in_ascii(origin)}"
    if not _HOST_NAME.fullmatch(host) and ":" not in host:
        return "must be an absolute http or https URL"
    return None


def origin_problem(text: str) -> str | None:
    """Returns what is wrong with a front end's origin in the form that browsers send (RFC 6454, section 6), or None."""
    if any(character.isspace() for character in text):
        return "is not an origin: separate origins by commas, without spaces in them"
    if "*" in text:
        return "is not an origin: wildcards are not supported, list each origin"
    origin = origin_of(text)
    if origin is None:
        return "is not an origin: write scheme://host or scheme://host:port, in lower case"
    if host_problem(text):
        return f"is not an origin as browsers send it: write {_in_ascii(origin)}"
    return None if text == origin else f"is not an origin as browsers send it: write {origin}"


def _in_ascii(origin: str) -> str:
    host = urlsplit(origin).hostname or ""
    try:
        return origin.replace(host, host.encode("idna").decode())
    except UnicodeError:
        return "its host as xn--…"


def require_readable(url: str) -> None:
    """Raises ValueError for a server's URL that would be misread.

    Quotes nothing of it, because it may hold a password.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("is not a URL") from None
    if is_misread(parts):
        raise ValueError("cannot be read: in user and password, write # / ? as %23 %2F %3F; ports are numbers")


def is_misread(parts: SplitResult) -> bool:
    """Tells whether a server's URL holds an unencoded `#`, `/`, `?` or `@` in user or password, or a bad port.

    Such a character makes the rest, with the rest of the password, read as another part of the URL.
    """
    hosts = parts.netloc.rpartition("@")[2].split(",")
    return bool(parts.fragment) or "@" in parts.path or not all(_HOST.fullmatch(host) for host in hosts)


def require_page(url: str) -> str:
    """Returns the URL of a page that mailed links open, or "" for none. Raises ValueError for any other text."""
    # The token is appended behind `#`, so the URL must not have one.
    if url and (host_problem(url) or "#" in url or re.search(r"[^!-~]", url)):
        raise ValueError("must be an absolute http or https URL of ASCII characters, without #")
    return url


def is_this_machine(url: str) -> bool:
    """Tells whether the host of a URL is this machine, by name or address."""
    return is_loopback(urlsplit(url).hostname or "")


def is_plain(url: str) -> bool:
    """Tells whether a URL is http over a network."""
    return urlsplit(url).scheme == "http" and not is_this_machine(url)


def is_loopback(host: str) -> bool:
    """Tells whether a host name or address is loopback: localhost, *.localhost, 127.0.0.0/8, ::1."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
