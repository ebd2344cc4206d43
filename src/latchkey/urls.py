"""What the URLs of settings say, and whether they can be read as they are meant."""

import re
from urllib.parse import urlsplit

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
