"""Advice for parameters that are not PostgreSQL's, or that this program cannot honour."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unkept:
    """A parameter that asks for something the driver does not do. `harmless` values ask for nothing."""

    advice: str
    harmless: tuple[str, ...] = ()


CHANNEL_BINDING = (
    "channel_binding=require is kept by other means, since the driver cannot: the server's certificate is verified"
    " (sslmode verify-full)"
)
"""What happens instead, for logs and `doctor`."""

_TLS = "write sslmode=verify-full instead"
CANNOT_BE_KEPT = {
    "gssencmode": Unkept(f"this program does not encrypt by GSSAPI: {_TLS}", ("disable", "prefer")),
    "sslcertmode": Unkept("a client certificate is sent if sslcert names one: leave it out", ("allow",)),
    "sslcrldir": Unkept("name one file by sslcrl"),
    "require_auth": Unkept(f"to verify the server before it gets a password, {_TLS}", ("none",)),
    "requirepeer": Unkept("leave it out"),
    "replication": Unkept("leave it out", ("false", "off", "no", "0")),
    "scram_client_key": Unkept("give the password"),
    "scram_server_key": Unkept("give the password"),
}

_NO_WRITES = "finds a server that takes no writes: write read-write"
OTHERS_VALUES = {
    ("sslmode", "no-verify"): "is another driver's: write sslmode=require, or better sslmode=verify-full",
    **{("target_session_attrs", value): _NO_WRITES for value in ("standby", "read-only", "prefer-standby")},
}

_FIXED = "leave it out: each process holds at most 10 connections"
_WAITS = "leave it out: a request waits 2 s for a connection, and 5 s for a statement"
_PREPARES = "leave it out: statements are prepared where that works"
_ENCODING = "leave it out: it is always UTF-8"
_SCHEMA = "write search_path=… instead"
_SSL = "write sslmode=require, or better sslmode=verify-full"
ADVICE = {
    "schema": _SCHEMA,
    "currentSchema": _SCHEMA,
    "pgbouncer": "leave it out: a pooler is found out, whichever way it lends connections",
    **dict.fromkeys(("connection_limit", "pool_size", "max_pool_size", "maxPoolSize", "max", "max_overflow"), _FIXED),
    **dict.fromkeys(("pool_min_conns", "pool_max_conns", "min_pool_size", "minPoolSize", "minimumIdle"), _FIXED),
    **dict.fromkeys(("pool_timeout", "socket_timeout", "socketTimeout", "command_timeout", "query_timeout"), _WAITS),
    **dict.fromkeys(("idleTimeout", "idle_timeout", "pool_recycle", "max_idle_connection_lifetime"), _WAITS),
    **dict.fromkeys(("statement_cache_size", "statement-cache-capacity", "prepared_statement_cache_size"), _PREPARES),
    **dict.fromkeys(("prepareThreshold", "preparedStatements", "prepared_statements", "prepare"), _PREPARES),
    **dict.fromkeys(("charset", "encoding", "characterEncoding"), _ENCODING),
    "sslaccept": "write sslmode=verify-full for strict, sslmode=require for accept_invalid_certs",
    "ssl": _SSL,
    "requiressl": _SSL,
    "sslfactory": _SSL,
    "sslidentity": "write sslcert=… and sslkey=…",
    "uselibpqcompat": "leave it out",
    "supa": "leave it out",
    "workaround": "leave it out",
    "loginTimeout": "write connect_timeout=…",
    "connectTimeout": "write connect_timeout=…",
    "connection_timeout": "write connect_timeout=…",
    "ApplicationName": "write application_name=…",
    "targetServerType": "write target_session_attrs=read-write",
}
