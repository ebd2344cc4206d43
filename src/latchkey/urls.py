"""What the URLs of settings say, and whether they can be read as they are meant."""

import ipaddress
import re
from urllib.parse import urlsplit

_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?", re.ASCII)
_HOST = re.compile(r"(\[[^]]*\]|[^:]*)(:\d{1,5})?")


def origin_of(url: str) -> str | None:
    """The origin (scheme://host[:port], lower case, default port left out) of an http(s) URL, else None."""
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
    """Returns what is wrong with an http(s) URL whose origin browsers are to compare, or None."""
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
    """Returns what is wrong with the origin of a front end, as browsers send it (RFC 6454, section 6), or None."""
    if any(character.isspace() for character in text):
        return "is no origin: separate origins by commas, without spaces in them"
    if "*" in text:
        return "is no origin: wildcards are not supported, list each origin"
    origin = origin_of(text)
    if origin is None:
        return "is no origin: write scheme://host or scheme://host:port, in lower case"
    if host_problem(text):
        return f"is no origin as browsers send it: write {_in_ascii(origin)}"
    return None if text == origin else f"is no origin as browsers send it: write {origin}"


def _in_ascii(origin: str) -> str:
    host = urlsplit(origin).hostname or ""
    try:
        return origin.replace(host, host.encode("idna").decode())
    except UnicodeError:
        return "its host as xn--…"


def require_readable(url: str) -> None:
    """Raises ValueError for the URL of a server that would be misread. Quotes nothing of it: it may hold a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("is no URL") from None
    hosts = parts.netloc.rpartition("@")[2].split(",")
    # What follows an unencoded one of these reads as another part of the URL, the rest of the password included.
    if parts.fragment or "@" in parts.path or not all(_HOST.fullmatch(host) for host in hosts):
        raise ValueError("cannot be read: in user and password, write # / ? as %23 %2F %3F; ports are numbers")


def require_page(url: str) -> str:
    """Returns the URL of a page that links in mails open, or "" for none. Raises ValueError for what is no such URL."""
    # The token is put behind `#`, which must be the only one.
    if url and (host_problem(url) or "#" in url or re.search(r"[^!-~]", url)):
        raise ValueError("must be an absolute http or https URL of ASCII characters, without #")
    return url


def is_this_machine(url: str) -> bool:
    """Whether the host of a URL is this machine by its name or address."""
    return is_loopback(urlsplit(url).hostname or "")


def is_plain(url: str) -> bool:
    """Whether a URL is http over a network."""
    return urlsplit(url).scheme == "http" and not is_this_machine(url)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is loopback: localhost, *.localhost, 127.0.0.0/8, ::1."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
