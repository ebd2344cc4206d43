"""Parses DATABASE_URL.

Hosting providers hand out URLs for other drivers. This module decides what each parameter means here. An error quotes
nothing that could be part of a password.
"""

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from latchkey.database_url_advice import ADVICE, CANNOT_BE_KEPT, OTHERS_VALUES
from latchkey.urls import is_misread

_DRIVER = {
    *("host", "port", "dbname", "database", "user", "password", "passfile", "service", "krbsrvname", "gsslib"),
    *("sslmode", "sslnegotiation", "sslcert", "sslkey", "sslpassword", "sslrootcert", "sslcrl"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs"),
}
"""Parameters that the driver handles."""
_OURS = {"connect_timeout", "channel_binding", "hostaddr", "options", "fallback_application_name"}
"""Parameters that this program handles."""
_DROPPED = {
    # This program's own deadlines detect broken connections.
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
    # Always UTF-8; hosts in their order; the protocol that the driver speaks.
    *("client_encoding", "load_balance_hosts", "min_protocol_version", "max_protocol_version"),
    # About features that the driver never or always uses.
    *("gssdelegation", "sslcompression", "sslsni", "sslkeylogfile"),
}
_SETTINGS = {
    *("application_name", "search_path", "role", "timezone", "TimeZone", "statement_timeout", "lock_timeout"),
    *("idle_in_transaction_session_timeout", "work_mem", "jit"),
}
"""PostgreSQL's own settings, which libpq takes as `options` and URLs for this driver may name."""
_KNOWN = _DRIVER | _OURS | _DROPPED | _SETTINGS

_VALUES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "channel_binding": ("disable", "prefer", "require"),
    "target_session_attrs": ("any", "primary", "read-write"),
    "gsslib": ("gssapi", "sspi"),
    "ssl_min_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "ssl_max_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
}
_UNREADABLE = (
    "cannot be read: in user and password, write # / ? @ [ ] as %23 %2F %3F %40 %5B %5D; ports are numbers, and"
    " parameters name=value with & between them"
)
_LOCAL = {"", "localhost", "127.0.0.1", "[::1]", "::1"}


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """`dsn` is for the driver: hosts, database and `parameters`, which the driver knows.

    `settings` are PostgreSQL's.
    """

    hosts: tuple[str, ...]
    dsn: str = field(repr=False)
    user: str | None
    password: str | None = field(repr=False)
    parameters: dict[str, str] = field(repr=False)
    settings: dict[str, str]
    connect_seconds: int | None
    binds_channel: bool

    @property
    def is_local(self) -> bool:
        """Tells whether all hosts are this machine."""
        return all(host in _LOCAL or host.startswith("/") for host in self.hosts)


def parse_database_url(url: str) -> DatabaseUrl:
    """Parses the URL. Raises ValueError with all errors, one on each line."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(_UNREADABLE) from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("must begin with postgresql://")
    login, _, place = parts.netloc.rpartition("@")
    if is_misread(parts):
        raise ValueError(_UNREADABLE)
    given = _pairs(parts.query)
    hosts = given.get("host", place or given.get("hostaddr", "")).split(",")
    problems = [problem for name, value in given.items() if (problem := _problem(name, value))]
    problems += _host_problems(hosts, given)
    if given.get("channel_binding") == "require":
        if given.get("sslmode", "require") in {"disable", "allow", "prefer"}:
            problems.append("channel_binding=require needs TLS: write sslmode=verify-full")
        if any(unquote(host).startswith("/") for host in hosts):
            problems.append("channel_binding=require cannot be kept on a Unix socket: leave it out")
    if problems:
        raise ValueError("\n".join(problems))
    parameters = {name: value for name, value in given.items() if name in _DRIVER}
    if "hostaddr" in given and not place:
        parameters.setdefault("host", given["hostaddr"])
    user, _, password = login.partition(":")
    return DatabaseUrl(
        tuple(unquote(_without_port(host)) for host in hosts),
        _dsn(parts, place, parameters),
        unquote(user) or None,
        unquote(password) or None,
        parameters,
        _settings(given),
        _seconds(given.get("connect_timeout", "")),
        given.get("channel_binding") == "require",
    )


def _pairs(query: str) -> dict[str, str]:
    """Returns the parameters without empty ones. Raises ValueError if a piece is not a parameter."""
    pieces = [piece for piece in query.split("&") if piece]
    pairs = []
    for piece in pieces:
        pair = parse_qsl(piece, keep_blank_values=True)
        # An unencoded question mark in a password leaves a piece that ends in @.
        if "=" not in piece or not pair or ("@" in piece and pair[0][0] not in _KNOWN):
            raise ValueError(_UNREADABLE)
        pairs += pair
    return {name: value for name, value in pairs if value}


def _problem(name: str, value: str) -> str | None:
    if name in CANNOT_BE_KEPT:
        unkept = CANNOT_BE_KEPT[name]
        return None if value in unkept.harmless else f"{name} cannot be kept: {unkept.advice}"
    if name not in _KNOWN:
        return _unknown(name)
    if (name, value) in OTHERS_VALUES:
        return f"{name}={value} {OTHERS_VALUES[name, value]}"
    if name in _VALUES and value not in _VALUES[name]:
        return f"{name} must be one of {', '.join(_VALUES[name])}"
    if name == "connect_timeout" and not re.fullmatch(r"-?\d{1,4}", value):
        return "connect_timeout must be a number of seconds"
    return None


def _unknown(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,40}", name):
        return "a parameter has a name that PostgreSQL does not know: leave it out"
    others = {other.lower(): advice for other, advice in ADVICE.items()}
    if name.lower() in others:
        return f"{name} is another driver's parameter: {others[name.lower()]}"
    close = get_close_matches(name.lower(), [*sorted(_KNOWN | CANNOT_BE_KEPT.keys()), *others], 1, 0.75)
    if not close:
        return f"{name} is no parameter of PostgreSQL: leave it out; its settings go into options=-c%20name%3Dvalue"
    return f"{name} is no parameter of PostgreSQL: {others.get(close[0], f'write {close[0]}')}"


def _host_problems(hosts: list[str], given: dict[str, str]) -> list[str]:
    problems = []
    if len(hosts) > 1 and not all(hosts):
        problems.append("one of the hosts has no name")
    ports = given.get("port", "").split(",")
    if not all(re.fullmatch(r"\d{0,5}", port) for port in ports):
        problems.append("port must be a number")
    elif len(ports) not in {1, len(hosts)}:
        problems.append(f"it has {len(ports)} ports and {len(hosts)} hosts")
    mode = given.get("sslmode")
    if given.get("sslrootcert") == "system" and mode not in {None, "verify-full"}:
        problems.append("sslrootcert=system needs sslmode=verify-full")
    if given.get("sslnegotiation") == "direct" and mode in {"disable", "allow", "prefer"}:
        problems.append("sslnegotiation=direct needs sslmode=require, verify-ca or verify-full")
    return problems


def _without_port(host: str) -> str:
    return host[: host.index("]") + 1] if host.startswith("[") else host.partition(":")[0]


def _dsn(parts: SplitResult, place: str, parameters: dict[str, str]) -> str:
    # TLS is decided for each connection.
    decided = {"sslmode"} | ({"sslrootcert"} if parameters.get("sslrootcert") == "system" else set())
    passed = {name: value for name, value in parameters.items() if name not in decided}
    return f"postgresql://{place}{parts.path}?{urlencode(passed, quote_via=quote)}"


def _seconds(value: str) -> int | None:
    """Returns the seconds as libpq counts: below 1 there is no deadline in the URL, so this program's applies."""
    return int(value) if value and int(value) > 0 else None


def _settings(given: dict[str, str]) -> dict[str, str]:
    settings = {name: value for name, value in given.items() if name in _SETTINGS}
    if "fallback_application_name" in given:
        settings.setdefault("application_name", given["fallback_application_name"])
    if "options" in given:
        listed = _listed(given["options"])
        # Options that are more than settings, such as the name of a provider's endpoint, are passed on unchanged.
        settings |= {"options": given["options"]} if listed is None else listed
    return settings


def _listed(options: str) -> dict[str, str] | None:
    """Returns the settings of `-c name=value` and `--name=value`; None if the text has anything else."""
    words = [re.sub(r"\\(.)", r"\1", word) for word in re.findall(r"(?:\\.|\S)+", options)]
    settings = {}
    while words:
        word = words.pop(0)
        if word == "-c" and words:
            word = "-c" + words.pop(0)
        name, is_set, value = word[2:].partition("=")
        if word[:2] not in {"-c", "--"} or not is_set:
            return None
        settings[name.replace("-", "_")] = value
    return settings
