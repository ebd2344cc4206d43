"""Translates a DATABASE_URL into asyncpg's arguments."""

import ssl
from pathlib import Path
from typing import Any

from latchkey.database_url import DatabaseUrl, parse_database_url

CONNECT_SECONDS = 2.0
FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
ALPN = "postgresql"


class UnusableUrl(Exception):
    """A file that DATABASE_URL names is missing. The text says which."""


def connection_options(url: str, *, production: bool) -> dict[str, Any]:
    """Returns asyncpg's arguments. Raises UnusableUrl.

    With several hosts, the one that takes writes is used. `tls_mode` decides how the connection is protected.
    """
    parsed = parse_database_url(url)
    options: dict[str, Any] = {"dsn": parsed.dsn, "timeout": parsed.connect_seconds or CONNECT_SECONDS}
    options |= {name: given for name in ("user", "password") if (given := getattr(parsed, name))}
    if parsed.settings:
        options["server_settings"] = parsed.settings
    if len(parsed.hosts) > 1 and "target_session_attrs" not in parsed.parameters:
        options["target_session_attrs"] = "read-write"
    for name in FILES:
        _require_file(name, parsed.parameters.get(name))
    if parsed.is_local and not parsed.parameters.keys() & {"sslmode", "sslrootcert"} and not parsed.binds_channel:
        return options
    mode = tls_mode(parsed, production=production)
    root = parsed.parameters.get("sslrootcert")
    if mode == "verify-ca" and root is None and not _has_root_file():
        raise UnusableUrl(
            "sslmode=verify-ca needs sslrootcert=…/ca.pem; verify-full does with the system's authorities"
        )
    uses_system = root == "system" or (root is None and not ("sslmode" in parsed.parameters and _has_root_file()))
    options["ssl"] = _system_context(parsed) if mode == "verify-full" and uses_system else mode
    return options


def tls_mode(url: DatabaseUrl, *, production: bool) -> str:
    """Returns how the connection to the database is protected, as an sslmode.

    In production, a database on another machine is reached over TLS, verified with the system's authorities, unless the
    URL says otherwise. The driver has no channel binding. A certificate that is verified for the host's name stops the
    same attackers.
    """
    if url.binds_channel or url.parameters.get("sslrootcert") == "system":
        return "verify-full"
    unset = "verify-full" if production and not url.is_local and "sslrootcert" not in url.parameters else "prefer"
    return url.parameters.get("sslmode", unset)


def _system_context(url: DatabaseUrl) -> ssl.SSLContext:
    """Verifies with the system's authorities. The rest is as the driver reads the URL."""
    context = ssl.create_default_context()
    context.set_alpn_protocols([ALPN])
    given = url.parameters
    if "sslcert" in given:
        context.load_cert_chain(given["sslcert"], given.get("sslkey"), lambda: given.get("sslpassword", ""))
    if "sslcrl" in given:
        context.load_verify_locations(given["sslcrl"])
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    for side in ("minimum", "maximum"):
        if version := given.get(f"ssl_{side[:3]}_protocol_version"):
            setattr(context, f"{side}_version", ssl.TLSVersion[version.replace(".", "_")])
    return context


def _require_file(name: str, file: str | None) -> None:
    if file is None or (name == "sslrootcert" and file == "system"):
        return
    try:
        with Path(file).open("rb"):
            return
    except OSError as error:
        raise UnusableUrl(f"the file of {name} in DATABASE_URL cannot be read: {error.strerror}") from error


def _has_root_file() -> bool:
    """Tells whether the file exists in which libpq looks for authorities when the URL names none."""
    try:
        return (Path.home() / ".postgresql" / "root.crt").exists()
    except RuntimeError:
        return False
