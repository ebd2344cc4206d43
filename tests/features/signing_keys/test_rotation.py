"""`latchkey keys rotate` and `retire`, by the operator, on two instances that serve meanwhile."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from latchkey.features.signing_keys.lifecycle import LEAVE_SECONDS, WAIT_SECONDS
from tests.kit.answers import header_of
from tests.kit.browser import Browser, refused
from tests.kit.command_line import Result, latchkey
from tests.kit.key_rows import NOTIFIED_SECONDS, add_key, age_keys, key_events, key_rows, listed_by, until_listed
from tests.kit.postgres_proxy import proxy
from tests.kit.server import Server
from tests.kit.stored import Sql
from tests.kit.waiting import eventually

INVALID = (401, "INVALID_TOKEN", "Invalid token")
ISSUER = {"TOKEN_ISSUER": "https://accounts.example.com"}
Keys = Callable[..., Result]


@pytest.fixture
def keys(database: str, tmp_path: Path) -> Keys:
    """Runs `latchkey keys …` on the test's database."""
    return partial(latchkey, "keys", directory=tmp_path, dsn=database)


@pytest.fixture
def servers(start: Callable[..., Server]) -> tuple[Server, Server]:
    """Two instances of a new installation. Tokens of one are good on the other."""
    return start(**ISSUER), start(**ISSUER)


def kid_of(browser: Browser) -> str:
    """Returns the kid of the access token in the jar."""
    return str(header_of(browser.cookies["accessToken"])["kid"])


def kid_of_a_sign_in(browser: Browser) -> str:
    """Signs somebody up and returns the kid of their access token."""
    browser.sign_up()
    return kid_of(browser)


def states(keys: Keys) -> dict[str, str]:
    """Returns what `keys list` says of each key."""
    return {key["kid"]: key["state"] for key in keys("list", "--json").json()}


def test_a_rotation(
    servers: tuple[Server, Server], open_browser: Callable[..., Browser], own_sql: Sql, keys: Keys
) -> None:
    """The new key is listed at once, signs after an hour, and the old one verifies for two hours more."""
    (old,) = listed_by(servers[0])
    early = open_browser(servers[0])
    assert kid_of_a_sign_in(early) == old

    *_, made = keys("rotate", "--json").json()
    new = made["kid"]
    assert states(keys) == {old: "signing", new: "waiting"}
    for server in servers:
        until_listed(server, {old, new})
        assert kid_of_a_sign_in(open_browser(server)) == old

    age_keys(own_sql, seconds=WAIT_SECONDS)
    for server in servers:
        eventually(lambda server=server: kid_of_a_sign_in(open_browser(server)) == new, "the new key signs")
    assert states(keys) == {old: "verifying", new: "signing"}
    assert early.get("/auth/me").status_code == 200
    assert early.post("/auth/refresh-token").status_code == 200
    assert kid_of(early) == new

    age_keys(own_sql, seconds=LEAVE_SECONDS)
    for server in servers:
        until_listed(server, {new})
    assert states(keys) == {old: "left", new: "signing"}
    assert early.get("/auth/me").status_code == 200
    assert key_events(own_sql) == [(old, "created"), (new, "created")]


def test_a_rotation_in_a_hurry(
    servers: tuple[Server, Server], open_browser: Callable[..., Browser], own_sql: Sql, keys: Keys
) -> None:
    """The new key signs at once, and what the old one signed is good."""
    early = open_browser(servers[0])
    old = kid_of_a_sign_in(early)
    *_, made = keys("rotate", "--now", "--json").json()
    for server in servers:
        eventually(
            lambda server=server: kid_of_a_sign_in(open_browser(server)) == made["kid"],
            "the new key signs",
            within=NOTIFIED_SECONDS,
        )
    assert early.get("/auth/me").status_code == 200
    leaves_in = {row["kid"]: row["leaves_in"] for row in key_rows(own_sql)}
    assert LEAVE_SECONDS - 60 < leaves_in[old] <= LEAVE_SECONDS
    assert leaves_in[made["kid"]] is None


def test_a_second_key_cannot_wait(servers: tuple[Server, Server], own_sql: Sql, keys: Keys) -> None:
    """Whatever makes it."""
    assert servers
    *_, waiting = keys("rotate", "--json").json()
    rows = key_rows(own_sql)
    for arguments in (["rotate"], ["rotate", "--now"], ["init"], ["init", "--alg", "EdDSA"]):
        assert f"key {waiting['kid']} waits already" in keys(*arguments).refusal()
    assert [row["kid"] for row in key_rows(own_sql)] == [row["kid"] for row in rows]


def test_a_retired_key_is_refused_everywhere(
    servers: tuple[Server, Server], open_browser: Callable[..., Browser], own_sql: Sql, keys: Keys
) -> None:
    """Within two seconds, remembered tokens too; those of the key that signs are good."""
    early, late = open_browser(servers[0]), open_browser(servers[1])
    old = kid_of_a_sign_in(early)
    *_, made = keys("rotate", "--now", "--json").json()
    eventually(lambda: kid_of_a_sign_in(late) == made["kid"], "the new key signs")
    token = early.cookies["accessToken"]
    elsewhere = open_browser(servers[1])
    elsewhere.cookies = {"accessToken": token}
    for browser in (early, elsewhere):
        assert browser.get("/auth/me").status_code == 200

    (left,) = keys("retire", old, "--json").json()
    assert left["kid"] == made["kid"]
    for server in servers:
        until_listed(server, {made["kid"]})
    for browser in (early, elsewhere):
        eventually(
            lambda browser=browser: browser.get("/auth/me").status_code == 401,
            "the token is refused",
            within=NOTIFIED_SECONDS,
        )
        assert refused(browser.get("/auth/me")) == INVALID
    assert late.get("/auth/me").status_code == 200
    assert early.post("/auth/refresh-token").status_code == 200
    assert early.get("/auth/me").status_code == 200
    assert key_events(own_sql)[-1] == (old, "retired")


def test_a_retired_key_is_refused_where_notifications_are_lost(
    start: Callable[..., Server], open_browser: Callable[..., Browser], database: str, keys: Keys
) -> None:
    """An instance whose feed is cut reads the keys each second."""
    start(**ISSUER)
    with proxy(database) as line:
        far = open_browser(start(dsn=line.dsn, **ISSUER))
        old = kid_of_a_sign_in(far)
        keys("rotate", "--now")
        until_listed(far.server, {key["kid"] for key in keys("list", "--json").json()})
        with line.feeds_paused():
            assert keys("retire", old).code == 0
            eventually(lambda: old not in listed_by(far.server), "the key has left", within=NOTIFIED_SECONDS)
            assert refused(far.get("/auth/me")) == INVALID


def test_the_key_that_signs_cannot_be_retired(servers: tuple[Server, Server], own_sql: Sql, keys: Keys) -> None:
    (kid,) = listed_by(servers[0])
    assert f"key {kid} signs now" in keys("retire", kid).refusal()
    assert "there is no signing key nonesuch" in keys("retire", "nonesuch").refusal()
    *_, made = keys("rotate", "--now", "--json").json()
    assert keys("retire", kid).code == 0
    assert f"key {kid} has left already" in keys("retire", kid).refusal()
    assert listed_by(servers[0])
    assert [event for _, event in key_events(own_sql)] == ["created", "created", "retired"]
    assert key_rows(own_sql)[0]["private_sealed"] is None
    assert made["state"] == "signing"


def test_a_kid_that_looks_like_an_option(own_sql: Sql, keys: Keys) -> None:
    add_key(own_sql, signs_in=-9_000, leaves_in=3_600)
    for kid in ("-41dm358Ki4V-fI4crrukh_8bGMmQ1T2ZyWHzKPZ1TU", "--h358Ki4V-fI4crrukh_8bGMmQ1T2ZyWHzKPZ1TUx"):
        own_sql.execute("UPDATE signing_keys SET kid = %s, leaves_at = NULL, private_sealed = NULL", [kid])
        assert keys("retire", kid).code == 0
        assert states(keys) == {kid: "left"}


def test_without_the_key_that_waits_the_signer_stays(
    servers: tuple[Server, Server], open_browser: Callable[..., Browser], own_sql: Sql, keys: Keys
) -> None:
    """However long ago the rotation was that did not come about."""
    (signer,) = listed_by(servers[0])
    *_, waiting = keys("rotate", "--json").json()
    assert keys("retire", waiting["kid"]).code == 0
    age_keys(own_sql, seconds=WAIT_SECONDS + LEAVE_SECONDS + 1)
    for server in servers:
        until_listed(server, {signer})
        assert kid_of_a_sign_in(open_browser(server)) == signer
    assert states(keys) == {signer: "signing", waiting["kid"]: "left"}
    *_, another = keys("rotate", "--json").json()
    assert another["state"] == "waiting"


def test_another_algorithm(
    servers: tuple[Server, Server], open_browser: Callable[..., Browser], own_sql: Sql, keys: Keys
) -> None:
    """`keys init --alg` rotates to it, and later rotations keep it."""
    early = open_browser(servers[0])
    old = kid_of_a_sign_in(early)
    assert f"key {old} signs already, with ES256" in keys("init").refusal()
    assert f"key {old} signs already, with ES256" in keys("init", "--alg", "ES256").refusal()
    *_, made = keys("init", "--alg", "EdDSA", "--json").json()
    age_keys(own_sql, seconds=WAIT_SECONDS)
    late = open_browser(servers[1])
    eventually(lambda: kid_of_a_sign_in(late) == made["kid"], "the new key signs")
    assert header_of(late.cookies["accessToken"])["alg"] == "EdDSA"
    for browser in (early, late):
        assert browser.get("/auth/me").status_code == 200
    *_, following = keys("rotate", "--json").json()
    assert following["alg"] == "EdDSA"


def test_nothing_to_rotate(own_sql: Sql, keys: Keys) -> None:
    """Without keys, `rotate` names the command that makes one, and `list` says what signs."""
    assert "run latchkey keys init" in keys("rotate").refusal()
    assert "JWT_ACCESS_SECRET (HS256)" in keys("list").out
    assert keys("list", "--json").json() == []
    assert key_rows(own_sql) == []


def test_an_issuer_comes_first(own_sql: Sql, keys: Keys) -> None:
    """In production, tokens that others verify need one."""
    refusal = keys("init", ENVIRONMENT="production").refusal()
    assert refusal.endswith("set PUBLIC_URL first")
    assert key_rows(own_sql) == []
    assert keys("init", ENVIRONMENT="production", **ISSUER).code == 0


def test_the_list_for_people(servers: tuple[Server, Server], keys: Keys) -> None:
    (kid,) = listed_by(servers[0])
    headings, line = keys("list").out.splitlines()
    assert headings.split() == ["kid", "alg", "state", "signs_from", "leaves_at"]
    assert line.split()[:3] == [kid, "ES256", "signing"]
