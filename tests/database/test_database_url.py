"""DATABASE_URL as hosters hand it out: what works, what is left out, and what is refused with a word of advice."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest

from latchkey.database.connection_options import connection_options, tls_mode
from latchkey.database_url import parse_database_url
from tests.kit.certificates import certify
from tests.kit.command_line import latchkey
from tests.kit.pgbouncer import PgBouncer, pgbouncer
from tests.kit.server import Server

SECRET = "hunter2"
BASE = f"postgres://app:{SECRET}@db.example.com/accounts"

# What hosters and their users write, and what the connection is told.
LEFT_OUT = (
    "connect_timeout=10&keepalives=1&keepalives_idle=30&keepalives_interval=10&keepalives_count=5",
    "tcp_user_timeout=10000&gssencmode=prefer&channel_binding=prefer&client_encoding=utf8",
    "gssencmode=disable&channel_binding=disable&client_encoding=auto&load_balance_hosts=random",
    "sslcompression=0&sslsni=1&sslcertmode=allow&min_protocol_version=3.0&max_protocol_version=latest",
    "require_auth=&replication=false&&sslmode=&connect_timeout=0",
)


@pytest.mark.parametrize("query", LEFT_OUT)
def test_parameters_that_are_left_out(query: str) -> None:
    """The driver would send them to PostgreSQL as settings, which refuses them."""
    parsed = parse_database_url(f"{BASE}?{query}")
    assert (parsed.parameters, parsed.settings) == ({}, {})
    assert urlsplit(parsed.dsn).query == ""


@pytest.mark.parametrize(
    ("query", "settings"),
    [
        ("application_name=app", {"application_name": "app"}),
        ("fallback_application_name=app", {"application_name": "app"}),
        ("fallback_application_name=other&application_name=app", {"application_name": "app"}),
        ("options=-c%20search_path%3Da%2Cb", {"search_path": "a,b"}),
        ("options=-csearch_path%3Da%20--statement-timeout%3D5s", {"search_path": "a", "statement_timeout": "5s"}),
        (r"options=-c%20search_path%3Da%2C%5C%20b", {"search_path": "a, b"}),
        ("options=endpoint%3Dep-quiet-sun", {"options": "endpoint=ep-quiet-sun"}),
        ("options=-c%20jit%3Doff%20-c", {"options": "-c jit=off -c"}),
        ("search_path=a&statement_timeout=5s", {"search_path": "a", "statement_timeout": "5s"}),
    ],
)
def test_settings_of_the_connection(query: str, settings: dict[str, str]) -> None:
    """However they are given."""
    assert parse_database_url(f"{BASE}?{query}").settings == settings


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sslmode=no-verify", "sslmode=no-verify is another driver's: write sslmode=require"),
        ("sslmode=verify_full", "sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full"),
        ("sslmod=require", "sslmod is no parameter of PostgreSQL: write sslmode"),
        ("SSLMODE=require", "SSLMODE is no parameter of PostgreSQL: write sslmode"),
        ("conect_timeout=3", "conect_timeout is no parameter of PostgreSQL: write connect_timeout"),
        ("schema=accounts", "schema is another driver's parameter: write search_path="),
        ("currentSchema=accounts", "currentSchema is another driver's parameter: write search_path="),
        ("pgbouncer=true", "pgbouncer is another driver's parameter: leave it out"),
        ("pool_timeout=10", "pool_timeout is another driver's parameter: leave it out"),
        ("connection_limit=5", "connection_limit is another driver's parameter: leave it out"),
        ("sslaccept=strict", "sslaccept is another driver's parameter: write sslmode=verify-full for strict"),
        ("sslacept=strict", "sslacept is no parameter of PostgreSQL: write sslmode=verify-full for strict"),
        ("ssl=true", "ssl is another driver's parameter: write sslmode=require"),
        ("uselibpqcompat=true", "uselibpqcompat is another driver's parameter: leave it out"),
        ("geqo=off", "geqo is no parameter of PostgreSQL: leave it out; its settings go into options=-c%20name%3Dv"),
        ("connect_timeout=soon", "connect_timeout must be a number of seconds"),
        ("target_session_attrs=standby", "target_session_attrs=standby finds a server that takes no writes"),
        ("channel_binding=always", "channel_binding must be one of disable, prefer, require"),
        ("channel_binding=require&sslmode=prefer", "channel_binding=require needs TLS: write sslmode=verify-full"),
        ("channel_binding=require&host=/run", "channel_binding=require cannot be kept on a Unix socket"),
        ("gssencmode=require", "gssencmode cannot be kept: this program does not encrypt by GSSAPI"),
        ("require_auth=scram-sha-256", "require_auth cannot be kept"),
        ("sslcertmode=require", "sslcertmode cannot be kept"),
        ("sslrootcert=system&sslmode=require", "sslrootcert=system needs sslmode=verify-full"),
        ("sslnegotiation=direct&sslmode=prefer", "sslnegotiation=direct needs sslmode=require"),
        ("port=http", "port must be a number"),
        ("port=1,2,3", "it has 3 ports and 1 hosts"),
        ("host=a,,b", "one of the hosts has no name"),
        (f"{SECRET}%20=1", "a parameter has a name that PostgreSQL does not know"),
    ],
)
def test_parameters_that_are_refused(query: str, words: str) -> None:
    """By name, and with what to write instead."""
    with pytest.raises(ValueError, match=r".+") as refused:
        parse_database_url(f"{BASE}?{query}")
    assert words in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        f"postgres://app:{SECRET}#1@db/accounts",
        f"postgres://app:{SECRET}/1@db/accounts",
        f"postgres://app:{SECRET}?1@db/accounts",
        f"postgres://app:1?{SECRET}=1@db/accounts",
        f"postgres://app:1?a=1&{SECRET}@db/accounts",
        f"postgres://app:1?{SECRET}&sslmode=1@db/accounts",
        f"postgres://app:[{SECRET}@db/accounts",
        f"postgres://app:{SECRET}@db:http/accounts",
        f"postgres://app:x@db/accounts?{SECRET}",
        f"mysql://app:{SECRET}@db/accounts",
        f"{SECRET}",
    ],
)
def test_a_url_that_is_misread_is_not_quoted(url: str) -> None:
    """What follows an unencoded # / ? or [ of a password reads as another part of the URL."""
    with pytest.raises(ValueError, match=r"cannot be read|must begin with postgresql://") as refused:
        parse_database_url(url)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
@pytest.mark.parametrize(
    ("written", "password"),
    [
        ("%23%2F%3F%40%3A%25%26%3D%2B", "#/?@:%&=+"),
        ("a@b@c", "a@b@c"),
        ("a:b!$&'()*+,;=~", "a:b!$&'()*+,;=~"),
        ("100%", "100%"),
        ("", None),
    ],
)
def test_passwords(scheme: str, written: str, password: str | None) -> None:
    """Percent-encoded, or as they are where that is clear."""
    parsed = parse_database_url(f"{scheme}://app:{written}@db.example.com:6432/accounts?sslmode=require")
    assert (parsed.user, parsed.password, parsed.hosts) == ("app", password, ("db.example.com",))
    assert repr(parsed).count("password") == 0


@pytest.mark.parametrize(
    ("url", "hosts", "is_local"),
    [
        ("postgres://a,b:6432,[::1]:1/x", ("a", "b", "[::1]"), False),
        ("postgres:///x?host=a,b&port=1,2", ("a", "b"), False),
        ("postgres://%2Frun%2Fpostgresql/x", ("/run/postgresql",), True),
        ("postgres:///x?host=/run/postgresql&port=6432", ("/run/postgresql",), True),
        ("postgres:///x?hostaddr=192.0.2.1", ("192.0.2.1",), False),
        ("postgres://db/x?hostaddr=192.0.2.1", ("db",), False),
        ("postgres:///x", ("",), True),
        ("postgres://localhost,127.0.0.1,[::1]/x", ("localhost", "127.0.0.1", "[::1]"), True),
    ],
)
def test_hosts(url: str, hosts: tuple[str, ...], is_local: bool) -> None:
    """Where the database is; with several, the one that takes writes is meant."""
    parsed = parse_database_url(url)
    assert (parsed.hosts, parsed.is_local) == (hosts, is_local)
    several = connection_options(url, production=False).get("target_session_attrs")
    assert several == ("read-write" if len(hosts) > 1 else None)


@pytest.mark.parametrize(
    ("query", "production", "mode"),
    [
        ("", True, "verify-full"),
        ("", False, "prefer"),
        ("sslmode=require", True, "require"),
        ("sslmode=disable", True, "disable"),
        ("sslrootcert=system", False, "verify-full"),
        ("sslrootcert=system&sslmode=verify-full", False, "verify-full"),
        ("channel_binding=require", False, "verify-full"),
        ("sslmode=require&channel_binding=require", True, "verify-full"),
        ("sslmode=verify-ca&channel_binding=require", True, "verify-full"),
        ("sslmode=require&channel_binding=prefer", True, "require"),
    ],
)
def test_how_the_way_is_protected(query: str, production: bool, mode: str) -> None:
    """A channel that cannot be bound is verified instead, never less."""
    assert tls_mode(parse_database_url(f"{BASE}?{query}"), production=production) == mode


def test_all_commands_alike(database: str, tmp_path: Path) -> None:
    """One message at the start, all of it, and no word of the driver's."""
    dsn = f"postgres://app:{SECRET}@db/x?sslmode=no-verify&schema=a&conect_timeout=1"
    lines = [
        "DATABASE_URL: sslmode=no-verify is another driver's",
        "DATABASE_URL: schema is another driver's parameter",
        "DATABASE_URL: conect_timeout is no parameter of PostgreSQL: write connect_timeout",
    ]
    for command in (["serve"], ["serve", "--migrate"], ["migrate"], ["users", "list"], ["purge"]):
        refusal = latchkey(*command, directory=tmp_path, dsn=dsn).refusal()
        assert [line for line in lines if line not in refusal] == []
        assert SECRET not in refusal
    doctor = latchkey("doctor", directory=tmp_path, dsn=dsn)
    assert doctor.code == 1
    assert [line for line in lines if f"problem  settings: {line}" not in doctor.out] == []
    assert SECRET not in doctor.out + doctor.err

    everything = "&".join(LEFT_OUT) + "&application_name=accounts&options=-c%20statement_timeout%3D4321"
    working = partial(latchkey, directory=tmp_path, dsn=f"{database}&{everything}")
    assert working("migrate").out.startswith("Nothing to do")
    assert working("doctor").code == 0
    assert working("users", "list").code == 0


def test_settings_reach_the_server(database: str, start: Callable[..., Server]) -> None:
    """The name of the application, for one."""
    start(dsn=f"{database}&fallback_application_name=our%20accounts&keepalives=0&connect_timeout=3")
    with psycopg.connect(database) as sql:
        named = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
        assert (sql.execute(named, ["our accounts"]).fetchone() or [0])[0] > 0


def over_tls(pooler: PgBouncer, **parameters: str) -> str:
    """The way to it by name, with these parameters."""
    parts = urlsplit(pooler.dsn)
    return parts._replace(netloc=f"postgres@localhost:{pooler.port}", query=urlencode(parameters)).geturl()


def test_channel_binding(require: Callable[[str], str], database: str, tmp_path: Path) -> None:
    """A server that cannot prove who it is is not spoken to; what happens instead is said."""
    certified = certify(tmp_path, "localhost")
    stranger = certify(tmp_path, "stranger.example.com")
    root = {"sslrootcert": str(certified.authority)}
    with pgbouncer(require("pgbouncer"), database, "session", certified=certified) as pooler:
        users: Callable[..., Any] = partial(latchkey, "users", "list", "--json", directory=tmp_path)
        bound = {"sslmode": "require", "channel_binding": "require"}
        assert users(dsn=over_tls(pooler, sslmode="require")).code == 0
        assert users(dsn=over_tls(pooler, **bound, **root)).code == 0
        for unproved in ({}, {"sslrootcert": str(stranger.authority)}):
            refusal = users(dsn=over_tls(pooler, **bound, **unproved)).refusal()
            assert "the server's certificate cannot be verified" in refusal
            assert "sslrootcert=" in refusal

        system = over_tls(pooler, sslrootcert="system")
        assert "cannot be verified" in users(dsn=system).refusal()
        assert users(dsn=system, SSL_CERT_FILE=str(certified.authority)).code == 0
        assert users(dsn=over_tls(pooler, **bound), SSL_CERT_FILE=str(certified.authority)).code == 0
        missing = users(dsn=over_tls(pooler, sslmode="verify-full", sslrootcert="/nowhere/ca.pem")).refusal()
        assert "the file of sslrootcert in DATABASE_URL cannot be read: No such file or directory" in missing
        no_root = users(dsn=over_tls(pooler, sslmode="verify-ca"), HOME=str(tmp_path)).refusal()
        assert "sslmode=verify-ca needs sslrootcert=" in no_root

        doctor = latchkey("doctor", directory=tmp_path, dsn=over_tls(pooler, **bound, **root))
        assert "warning  database TLS: channel_binding=require is kept by other means" in doctor.out
    # The pooler has gone.
    served = latchkey("serve", directory=tmp_path, dsn=over_tls(pooler, **bound))
    assert served.code == 1
    assert "channel_binding=require is kept by other means" in served.out
