"""The first key: a new installation makes one, any other signs with HS256 until its operator asks for one."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit

import pytest

from latchkey.audit.record import AuditLog
from latchkey.database.pool import open_database
from latchkey.features.signing_keys.lifecycle import SigningKeys
from latchkey.sealing import Sealer
from latchkey.signing.ring import HS256_GRACE_SECONDS
from tests.kit.answers import header_of
from tests.kit.browser import Browser, refused
from tests.kit.command_line import latchkey
from tests.kit.key_rows import age_keys, key_events, key_rows, listed_by, until_listed
from tests.kit.racing import together
from tests.kit.server import REFRESH_SECRET, Server
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

Start = Callable[..., Server]
Open = Callable[..., Browser]
PRODUCTION = {"ENVIRONMENT": "production"}


def sessions_before_any_key(sql: Sql) -> None:
    """Stores a session, as a version without signing keys has left it."""
    sql.execute(
        "WITH siam AS (INSERT INTO users (name, email, password) VALUES ('Siam', 'siam@example.com', '') RETURNING id)"
        " INSERT INTO sessions (id, user_id, token_hash, expires_at)"
        " SELECT gen_random_uuid(), id, sha256(''), now() + interval '1 day' FROM siam"
    )


def test_a_new_installation_has_a_key_that_signs(start: Start, open_browser: Open, own_sql: Sql) -> None:
    server = start()
    (row,) = key_rows(own_sql)
    assert (row["alg"], row["purpose"], row["leaves_in"]) == ("ES256", "access", None)
    assert row["signs_in"] <= 0
    assert listed_by(server) == [row["kid"]]
    assert key_events(own_sql) == [(row["kid"], "created")]

    browser = open_browser(server)
    browser.sign_up()
    assert header_of(browser.cookies["accessToken"]) == {"alg": "ES256", "kid": row["kid"], "typ": "at+jwt"}
    assert browser.get("/auth/me").status_code == 200


def test_its_private_part_is_sealed(start: Start, own_sql: Sql) -> None:
    """Whoever reads the database can sign nothing."""
    start()
    (row,) = key_rows(own_sql)
    assert row["public_jwk"].keys() == {"kid", "kty", "alg", "use", "crv", "x", "y"}
    assert row["private_sealed"][:1] == b"\x01"
    assert b"crv" not in row["private_sealed"]


def test_a_restart_makes_no_other(start: Start, own_sql: Sql) -> None:
    start().stop()
    (before,) = key_rows(own_sql)
    assert listed_by(start()) == [before["kid"]]


def test_instances_that_start_together_make_one_key(start: Start, own_sql: Sql) -> None:
    one, other = together([start, start])
    (row,) = key_rows(own_sql)
    assert listed_by(one) == listed_by(other) == [row["kid"]]
    assert key_events(own_sql) == [(row["kid"], "created")]


async def test_many_that_make_a_first_key_together_make_one(database: str, own_sql: Sql) -> None:
    """Whichever comes first, and while others already wait for it."""
    pool = await open_database(database, production=False)
    keys = SigningKeys(pool, AuditLog(pool, required=True), Sealer(REFRESH_SECRET), days=180)
    for _ in range(10):
        made = await asyncio.gather(*(keys.make_first() for _ in range(8)))
        assert sorted(made) == [False] * 7 + [True]
        assert len(key_rows(own_sql)) == 1
        own_sql.execute("DELETE FROM signing_keys")
    await pool.close()


def test_sessions_without_a_key_keep_hs256(start: Start, open_browser: Open, own_sql: Sql) -> None:
    """Instances of the version before may still run, and know no keys."""
    sessions_before_any_key(own_sql)
    server = start()
    assert listed_by(server) == []
    assert key_rows(own_sql) == []
    assert "access tokens are signed with HS256" in server.printed()
    assert "latchkey keys init" in server.printed()

    browser = open_browser(server)
    browser.sign_up()
    assert header_of(browser.cookies["accessToken"])["alg"] == "HS256"
    assert browser.get("/auth/me").status_code == 200


@pytest.mark.parametrize(
    ("settings", "has_key"),
    [({}, False), ({"PUBLIC_URL": "https://a.example.com"}, True), ({"TOKEN_ISSUER": "https://a.example.com"}, True)],
    ids=["neither", "PUBLIC_URL", "TOKEN_ISSUER"],
)
def test_production_needs_an_issuer_for_its_first_key(
    start: Start, database: str, tmp_path: Path, settings: dict[str, str], *, has_key: bool
) -> None:
    """`serve` and `doctor` say what is missing."""
    server = start(**PRODUCTION | settings)
    assert bool(listed_by(server)) == has_key
    doctor = latchkey("doctor", directory=tmp_path, dsn=database, **PRODUCTION | settings).out
    for said in (server.printed(), doctor):
        assert ("neither PUBLIC_URL nor TOKEN_ISSUER is set" in said) != has_key


def test_the_way_from_hs256(start: Start, open_browser: Open, own_sql: Sql, database: str, tmp_path: Path) -> None:
    """An operator makes a first key. It signs in an hour. Ten minutes later tokens of the old kind are over, and their
    clients refresh: nobody is signed out."""
    sessions_before_any_key(own_sql)
    servers = [start(), start()]
    early, late = open_browser(servers[0]), open_browser(servers[1])
    early.sign_up()

    (made,) = latchkey("keys", "init", "--json", directory=tmp_path, dsn=database).json()
    assert (made["alg"], made["state"]) == ("ES256", "waiting")
    for server in servers:
        until_listed(server, {made["kid"]})
    late.sign_up()
    assert header_of(late.cookies["accessToken"])["alg"] == "HS256"

    age_keys(own_sql, seconds=3_600)
    eventually(lambda: signs_with(open_browser(servers[1])) == made["kid"], "the key signs")
    assert early.get("/auth/me").status_code == 200
    age_keys(own_sql, seconds=HS256_GRACE_SECONDS)
    for browser in (early, late):
        expired = (401, "TOKEN_EXPIRED", "Token expired")
        eventually(lambda browser=browser: browser.get("/auth/me").status_code == 401, "HS256 is over")
        assert refused(browser.get("/auth/me")) == expired
        assert browser.post("/auth/refresh-token").status_code == 200
        assert header_of(browser.cookies["accessToken"])["kid"] == made["kid"]
        assert browser.get("/auth/me").status_code == 200


def signs_with(browser: Browser) -> str | None:
    """Signs somebody up and returns the kid of their access token."""
    browser.sign_up()
    kid: str | None = header_of(browser.cookies["accessToken"]).get("kid")
    return kid


def test_a_role_that_may_not_make_one_is_told_so(database: str, tmp_path: Path, own_sql: Sql) -> None:
    """`serve` ends with one line that names the missing rights."""
    role = f"serving_{token_hex(6)}"
    own_sql.execute(f"CREATE ROLE {role} LOGIN")
    try:
        own_sql.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
        own_sql.execute(f"REVOKE INSERT ON signing_keys FROM {role}")
        dsn = urlsplit(database)._replace(netloc=f"{role}@").geturl()
        refusal = latchkey("serve", directory=tmp_path, dsn=dsn, **PRODUCTION, PUBLIC_URL="https://a.example.com")
        assert refusal.code == 1
        missing = "permission denied for table signing_keys: GRANT SELECT, INSERT, UPDATE ON signing_keys"
        assert missing in refusal.out
        assert "Traceback" not in refusal.out
    finally:
        own_sql.execute(f"DROP OWNED BY {role}")
        own_sql.execute(f"DROP ROLE {role}")
