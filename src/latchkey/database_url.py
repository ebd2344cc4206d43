"""What DATABASE_URL says. Hosters hand out what other drivers understand; what this program makes of each parameter
is decided here. Nothing that could be part of a password is quoted when a URL is wrong."""

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from latchkey.database_url_advice import ADVICE, CANNOT_BE_KEPT, OTHERS_VALUES

_DRIVER = {
    *("host", "port", "dbname", "database", "user", "password", "passfile", "service", "krbsrvname", "gsslib"),
    *("sslmode", "sslnegotiation", "sslcert", "sslkey", "sslpassword", "sslrootcert", "sslcrl"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs"),
}
"""The driver knows them."""
_OURS = {"connect_timeout", "channel_binding", "hostaddr", "options", "fallback_application_name"}
"""Taken care of here."""
_DROPPED = {
    # Deadlines of our own see to broken lines.
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
    # Always UTF-8; hosts in their order; the protocol that the driver speaks.
    *("client_encoding", "load_balance_hosts", "min_protocol_version", "max_protocol_version"),
    # Of what the driver never does anyway, or always does.
    *("gssdelegation", "sslcompression", "sslsni", "sslkeylogfile"),
}
_SETTINGS = {
    *("application_name", "search_path", "role", "timezone", "TimeZone", "statement_timeout", "lock_timeout"),
    *("idle_in_transaction_session_timeout", "work_mem", "jit"),
}
"""PostgreSQL's own settings: what libpq takes as `options`, and URLs for this driver may name."""
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
_HOST = re.compile(r"(\[[^]]*\]|[^:]*)(:\d{1,5})?")
_LOCAL = {"", "localhost", "127.0.0.1", "[::1]", "::1"}


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """`dsn` is for the driver: hosts, database and `parameters`, those that the driver knows. `settings` are
    PostgreSQL's, for the connection."""

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
        """Whether it stays on this machine, all of its hosts."""
        return all(host in _LOCAL or host.startswith("/") for host in self.hosts)


def parse_database_url(url: str) -> DatabaseUrl:
    """Reads it. Raises ValueError with everything that is wrong, one line each."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(_UNREADABLE) from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("must begin with postgresql://")
    login, _, place = parts.netloc.rpartition("@")
    if parts.fragment or "@" in parts.path or not all(_HOST.fullmatch(host) for host in place.split(",")):
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
    """Its parameters; an empty value counts as none. Raises ValueError when it is a piece of something else."""
    pieces = [piece for piece in query.split("&") if piece]
    pairs = []
    for piece in pieces:
        pair = parse_qsl(piece, keep_blank_values=True)
        # The rest of a password with a question mark in it has an @ at its end.
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
        problems.append(f"there are {len(ports)} ports and {len(hosts)} hosts")
    mode = given.get("sslmode")
    if given.get("sslrootcert") == "system" and mode not in {None, "verify-full"}:
        problems.append("sslrootcert=system needs sslmode=verify-full")
    if given.get("sslnegotiation") == "direct" and mode in {"disable", "allow", "prefer"}:
        problems.append("sslnegotiation=direct needs sslmode=require, verify-ca or verify-full")
    return problems


def _without_port(host: str) -> str:
    return host[: host.index("]") + 1] if host.startswith("[") else host.partition(":")[0]


def _dsn(parts: SplitResult, place: str, parameters: dict[str, str]) -> str:
    # How TLS is made is decided for each connection.
    decided = {"sslmode"} | ({"sslrootcert"} if parameters.get("sslrootcert") == "system" else set())
    passed = {name: value for name, value in parameters.items() if name not in decided}
    return f"postgresql://{place}{parts.path}?{urlencode(passed, quote_via=quote)}"


def _seconds(value: str) -> int | None:
    """As libpq counts: less than 1 means no deadline of its own; here, ours."""
    return int(value) if value and int(value) > 0 else None


def _settings(given: dict[str, str]) -> dict[str, str]:
    settings = {name: value for name, value in given.items() if name in _SETTINGS}
    if "fallback_application_name" in given:
        settings.setdefault("application_name", given["fallback_application_name"])
    if "options" in given:
        listed = _listed(given["options"])
        # What is more than settings, such as the name of a hoster's endpoint, goes as it is.
        settings |= {"options": given["options"]} if listed is None else listed
    return settings


def _listed(options: str) -> dict[str, str] | None:
    """The settings of `-c name=value` and `--name=value`; None when there is anything else."""
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
