"""Keys that JWT_REFRESH_SECRET does not open: no server starts with them, and nothing is made in their place."""

import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from latchkey.features.signing_keys.lifecycle import WAIT_SECONDS
from tests.kit.answers import header_of
from tests.kit.browser import Browser, refused
from tests.kit.command_line import Result, is_served, latchkey, spawn
from tests.kit.key_rows import add_key, key_events, key_rows, listed_by, until_listed
from tests.kit.server import Server
from tests.kit.stored import Sql
from tests.kit.waiting import SECONDS, eventually

WRONG = {"JWT_REFRESH_SECRET": "wrong-refresh-secret-of-the-tests-0123456789"}
PRODUCTION = {"ENVIRONMENT": "production", "PUBLIC_URL": "https://accounts.example.com"}
Keys = Callable[..., Result]
Spawn = Callable[..., Server]


@pytest.fixture
def keys(database: str, tmp_path: Path) -> Keys:
    """Runs `latchkey keys …` on the test's database."""
    return partial(latchkey, "keys", directory=tmp_path, dsn=database)


@pytest.fixture
def serve(database: str, tmp_path: Path) -> Iterator[Spawn]:
    """Starts `latchkey serve` in production on the test's database. Kills what still runs at the end."""
    started: list[Server] = []

    def start(**settings: str) -> Server:
        started.append(spawn("serve", directory=tmp_path, dsn=database, **PRODUCTION | settings))
        return started[-1]

    yield start
    for server in started:
        server.kill()


def test_serve_refuses_to_start(start: Callable[..., Server], serve: Spawn, own_sql: Sql) -> None:
    """It names the key and what to do. An instance with the right secret goes on, and the keys stay as they are."""
    right = start(**PRODUCTION)
    (kid,) = listed_by(right)
    before = key_rows(own_sql)[0]["private_sealed"]

    wrong = serve(**WRONG)
    assert wrong.process.wait(SECONDS) == 1
    printed = wrong.printed()
    assert f"cannot open signing key {kid} with this JWT_REFRESH_SECRET" in printed
    assert "latchkey keys init --discard-unreadable" in printed
    assert "listening" not in printed
    assert "Traceback" not in printed
    assert WRONG["JWT_REFRESH_SECRET"] not in printed

    assert listed_by(right) == [kid]
    assert [row["private_sealed"] for row in key_rows(own_sql)] == [before]
    assert key_events(own_sql) == [(kid, "created")]


def test_latchkey_dev_says_so_and_serves_nothing(database: str, tmp_path: Path, own_sql: Sql) -> None:
    """It goes on to run, as after any failed start: its database must be up for the command that it names."""
    kid = add_key(own_sql, signs_in=-60)
    dev = spawn("dev", directory=tmp_path, dsn=database, ENVIRONMENT="", **WRONG)
    try:
        eventually(lambda: f"cannot open signing key {kid}" in dev.printed(), "it says so")
        assert not is_served(dev.url)
        assert dev.process.poll() is None
        assert dev.stop(signal.SIGINT) == 0
        assert "Traceback" not in dev.printed()
    finally:
        dev.kill()


def test_a_key_that_has_left_is_no_obstacle(start: Callable[..., Server], own_sql: Sql) -> None:
    add_key(own_sql, signs_in=-9_000, leaves_in=-1)
    kid = add_key(own_sql, signs_in=-60, secret=WRONG["JWT_REFRESH_SECRET"])
    assert listed_by(start(**WRONG)) == [kid]


def test_commands_with_another_secret_make_no_key(own_sql: Sql, keys: Keys) -> None:
    """No server could open it."""
    kid = add_key(own_sql, signs_in=-60)
    for arguments in (["rotate"], ["rotate", "--now"], ["init"], ["init", "--alg", "EdDSA"]):
        assert f"cannot open signing key {kid}" in keys(*arguments, **WRONG).refusal()
    assert "JWT_REFRESH_SECRET is not set" in keys("rotate", JWT_REFRESH_SECRET="").refusal()
    assert [row["kid"] for row in key_rows(own_sql)] == [kid]


def test_doctor_names_them(database: str, tmp_path: Path, own_sql: Sql) -> None:
    kid = add_key(own_sql, signs_in=-60)
    assert f"ok       signing keys: ES256 key {kid} signs" in latchkey("doctor", directory=tmp_path, dsn=database).out
    found = latchkey("doctor", directory=tmp_path, dsn=database, **WRONG)
    assert found.code == 1
    assert f"problem  signing keys: cannot be opened: {kid}" in found.out
    assert "latchkey keys init --discard-unreadable" in found.out


def test_a_lost_secret(
    start: Callable[..., Server], open_browser: Callable[..., Browser], own_sql: Sql, keys: Keys
) -> None:
    """The keys are given up: a new one signs at once, and tokens of the old ones are refused everywhere."""
    lost = add_key(own_sql, signs_in=-9_000, secret=WRONG["JWT_REFRESH_SECRET"])
    elsewhere = open_browser(start(**WRONG))
    elsewhere.sign_up()
    assert header_of(elsewhere.cookies["accessToken"])["kid"] == lost

    (made,) = keys("init", "--discard-unreadable", "--json").json()
    assert made["state"] == "signing"
    assert key_events(own_sql) == [(made["kid"], "created"), (lost, "discarded")]
    server = start()
    assert listed_by(server) == [made["kid"]]
    browser = open_browser(server)
    browser.sign_up()
    assert header_of(browser.cookies["accessToken"])["kid"] == made["kid"]

    until_listed(elsewhere.server, {made["kid"]})
    eventually(lambda: elsewhere.get("/auth/me").status_code == 401, "the old token is refused")
    assert refused(elsewhere.get("/auth/me")) == (401, "INVALID_TOKEN", "Invalid token")
    # That instance has the lost secret: it cannot sign by the new key, and signs by no other means.
    assert refused(elsewhere.post("/auth/refresh-token"))[0] == 503
    assert made["kid"] in elsewhere.server.printed()


def test_only_unreadable_keys_are_given_up(own_sql: Sql, keys: Keys) -> None:
    """A signer that opens stays; the one that was to follow goes."""
    signer = add_key(own_sql, signs_in=-9_000, leaves_in=9_000)
    closed = add_key(own_sql, signs_in=1_800, secret=WRONG["JWT_REFRESH_SECRET"])
    (left,) = keys("init", "--discard-unreadable", "--json").json()
    assert (left["kid"], left["state"], left["leaves_at"]) == (signer, "signing", None)
    assert key_events(own_sql) == [(closed, "discarded")]
    assert "every signing key can be opened: none was discarded" in keys("init", "--discard-unreadable").refusal()


def test_the_key_that_waits_follows_the_new_one(own_sql: Sql, keys: Keys) -> None:
    """A signer is given up while its successor waits: the new signer goes when that one has followed."""
    closed = add_key(own_sql, signs_in=-9_000, leaves_in=9_000, secret=WRONG["JWT_REFRESH_SECRET"])
    waiting = add_key(own_sql, signs_in=1_800)
    made, follows = keys("init", "--discard-unreadable", "--json").json()
    assert (follows["kid"], follows["state"], follows["leaves_at"]) == (waiting, "waiting", None)
    assert made["state"] == "signing"
    leaves_in = {row["kid"]: row["leaves_in"] for row in key_rows(own_sql)}
    assert 8_900 < leaves_in[made["kid"]] < 9_100
    assert leaves_in[closed] < 0


def test_a_first_key_that_never_signed_is_given_up(own_sql: Sql, keys: Keys) -> None:
    """HS256 signs still, so the next one waits its hour."""
    add_key(own_sql, signs_in=1_800, secret=WRONG["JWT_REFRESH_SECRET"])
    (made,) = keys("init", "--discard-unreadable", "--json").json()
    assert made["state"] == "waiting"
    (row,) = [row for row in key_rows(own_sql) if row["kid"] == made["kid"]]
    assert row["signs_in"] > WAIT_SECONDS - 60
