"""A refresh token counts only if we made it; what we did not make touches nobody's session."""

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from tests.kit.answers import claims_of
from tests.kit.browser import Browser, refused
from tests.kit.forging import (
    FORGERIES,
    Forge,
    genuine_access,
    genuine_refresh,
    refresh_with,
    signed,
)
from tests.kit.server import ACCESS_SECRET, REFRESH_SECRET, Server
from tests.kit.stored import Sql, audit_rows, audited, endings, everything_of, live_sessions
from tests.kit.wire import Wire

INVALID = (401, "INVALID_TOKEN", "Invalid refresh token")
REUSED = (401, "TOKEN_EXPIRED", "Refresh token reused or invalid")


@pytest.fixture(scope="module")
def victim(server: Server, wire: Wire) -> Iterator[Browser]:
    """Somebody who is signed in, and whom no forgery touches: one for them all."""
    browser = Browser(server, wire)
    browser.sign_up()
    yield browser
    browser.close()


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_refused_and_ends_nothing(victim: Browser, sql: Sql, forge: Forge) -> None:
    """A forgery opens nothing, and is no way to sign anybody out or raise an alarm."""
    genuine = genuine_refresh(victim)
    before = everything_of(sql, genuine.claims["id"])
    response = refresh_with(victim, forge(genuine))
    assert refused(response) == INVALID
    assert victim.set_cookies == []
    assert audit_rows(sql, response) == []
    assert everything_of(sql, genuine.claims["id"]) == before


def test_an_honest_token_signed_by_the_test_rotates(browser: Browser) -> None:
    """Keeps the forgeries honest: signed anew, unchanged, a token is ours to the byte, so each fails by its flaw."""
    browser.sign_up()
    genuine = genuine_refresh(browser)
    assert genuine.changed() == genuine.token
    assert refresh_with(browser, genuine.changed()).status_code == 200


def test_the_other_kind_and_the_other_secret_end_nothing(victim: Browser, sql: Sql) -> None:
    """Who has one of the two cannot refresh, nor sign the owner out."""
    access, refresh = genuine_access(victim), genuine_refresh(victim)
    before = everything_of(sql, refresh.claims["id"])
    for token in (
        access.token,
        signed(access.claims, REFRESH_SECRET),
        signed(refresh.claims, ACCESS_SECRET),
        refresh.changed(typ="access"),
    ):
        assert refused(refresh_with(victim, token)) == INVALID
    assert everything_of(sql, refresh.claims["id"]) == before


def test_an_expired_token_is_refused_and_is_no_reuse(victim: Browser, sql: Sql) -> None:
    """An alarm for every old browser would be none."""
    refresh = genuine_refresh(victim)
    before = everything_of(sql, refresh.claims["id"])
    for token in (refresh.changed(exp=int(time.time())), refresh.changed(exp=1, sid=str(uuid4()))):
        assert refused(refresh_with(victim, token)) == INVALID
    assert everything_of(sql, refresh.claims["id"]) == before


def test_a_variant_of_the_current_token_is_reuse(browser: Browser, sql: Sql) -> None:
    """Rightly signed for a live session, but not the token that we gave out."""
    user = browser.sign_up()
    response = refresh_with(browser, genuine_refresh(browser).changed(jti="another"))
    assert refused(response) == REUSED
    assert endings(sql, user["id"]) == ["reuse"]


def test_a_token_of_another_users_session_ends_the_sessions_of_its_own_user(
    browser: Browser, open_browser: Callable[..., Browser], sql: Sql
) -> None:
    """Whose id and session do not fit together is an alarm for that id, and nobody else."""
    other = open_browser()
    user, bystander = browser.sign_up(), other.sign_up()
    theirs = claims_of(other.cookies["refreshToken"])["sid"]
    response = refresh_with(browser, genuine_refresh(browser).changed(sid=theirs))
    assert refused(response) == REUSED
    assert audited(sql, response) == [("TOKEN_REUSE_DETECTED", user["id"], user["id"])]
    assert live_sessions(sql, user["id"]) == []
    assert other.post("/auth/refresh-token").status_code == 200
    assert len(live_sessions(sql, bystander["id"])) == 1


def test_a_token_of_nobody_is_refused(victim: Browser, sql: Sql) -> None:
    """A user who never was."""
    nobody = 2_147_483_647
    token = genuine_refresh(victim).changed(id=nobody, sub=str(nobody), sid=str(uuid4()))
    response = refresh_with(victim, token)
    assert refused(response) == REUSED
    assert audit_rows(sql, response) == []


def test_the_token_counts_in_its_cookie_alone(victim: Browser) -> None:
    """No body, header or query carries a refresh token of a browser's session."""
    token = victim.cookies["refreshToken"]
    missing = (401, "INVALID_REQUEST", "Refresh token required")
    for headers, answer in (
        ({"refreshToken": token}, missing),
        ({"refreshToken": token, "Authorization": f"Bearer {token}"}, INVALID),
    ):
        response = victim.post(
            f"/auth/refresh-token?refreshToken={token}",
            {"refreshToken": token},
            headers=headers,
            cookies={"_csrf": victim.cookies["_csrf"]},
        )
        assert refused(response) == answer
