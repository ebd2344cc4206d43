"""Everything that begins and ends sessions, in random order, on two instances whose feeds are cut now and then, against
a model of what must be so."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.kit.answers import claims_of
from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.server import ONE_INSTALLATION, Server
from tests.kit.stored import Sql, plant_reset_token

LEEWAY = 60
BOUND_SECONDS = 2.0
INVALID = (401, "INVALID_TOKEN", "Invalid token")
INVALID_REFRESH = (401, "INVALID_TOKEN", "Invalid refresh token")
REUSED = (401, "TOKEN_EXPIRED", "Refresh token reused or invalid")
NOT_FOUND = (404, "SESSION_NOT_FOUND", "Session not found")
CUT_FEEDS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT 1' AND datname = current_database()"
)
# `make test-long` asks for more, and for other ones each time.
IS_LONG = settings().max_examples > 100
EXAMPLES = settings().max_examples // 8
STEPS = 25
INSTANCES = st.integers(0, 1)
USERS = st.integers(0, 1)
ANY = st.integers(0, 2**16)
"""Which session, counted round."""


@dataclass
class User:
    """An account as it must be."""

    id: int
    email: str
    password: str = PASSWORD
    deleted_by: "Session | None" = None


@dataclass(eq=False)
class Session:
    """A session as it must be: its tokens, the oldest first."""

    user: User
    access: list[str]
    refresh: list[str]
    is_live: bool = True
    leeway_is_over: bool = False

    @property
    def id(self) -> str:
        """Its id."""
        return str(claims_of(self.access[0])["sid"])

    @property
    def cookies(self) -> dict[str, str]:
        """What its browser holds."""
        return {"accessToken": self.access[-1], "refreshToken": self.refresh[-1]}


@dataclass
class World:
    """What is tested: a browser on each instance, without a jar of its own to speak of, and the database."""

    browsers: tuple[Browser, Browser]
    sql: Sql
    csrf_cookies: list[str] = field(default_factory=list)


class Sessions(RuleBasedStateMachine):
    """Two users on two instances."""

    world: World

    @initialize()
    def begin(self) -> None:
        """Makes the accounts."""
        self.users: list[User] = []
        self.sessions: list[Session] = []
        self.rows: Counter[str] = Counter()
        self.ended_on: dict[Session, int] = {}
        for _ in range(2):
            made = self.world.browsers[0].register()
            self.users.append(User(made["id"], made["email"]))
            self.rows["CREATE_USER"] += 1

    def call(
        self, on: int, method: str, path: str, body: Any = None, cookies: dict[str, str] | None = None
    ) -> httpx.Response:
        """A request with exactly these cookies, and the CSRF pair."""
        browser = self.world.browsers[on]
        jar = {"_csrf": self.world.csrf_cookies[on]} | (cookies or {})
        return browser.request(method, path, body, cookies=jar)

    def some(self, number: int) -> Session:
        """One of the sessions that there ever were."""
        return self.sessions[number % len(self.sessions)]

    def opened(self, user: User, response: httpx.Response) -> None:
        """Notes a new session."""
        pair = response.cookies
        self.sessions.append(Session(user, [pair["accessToken"]], [pair["refreshToken"]]))

    def end(self, on: int, *sessions: Session) -> list[Session]:
        """Notes what has ended on that instance; returns those that were live."""
        ended = [session for session in sessions if session.is_live]
        for session in ended:
            session.is_live = False
            self.ended_on[session] = on
        return ended

    def of(self, user: User, *, but: Session | None = None) -> list[Session]:
        """All sessions of a user."""
        return [session for session in self.sessions if session.user is user and session is not but]

    @rule(number=USERS, on=INSTANCES)
    def log_in(self, number: int, on: int) -> None:
        """From a new browser."""
        user = self.users[number]
        response = self.call(on, "POST", "/auth/login", {"email": user.email, "password": user.password})
        if user.deleted_by is not None:
            assert response.status_code == 401
            # Nobody has that address: the row is about nobody.
            return
        assert response.status_code == 200
        self.rows["LOGIN"] += 1
        self.opened(user, response)

    @precondition(lambda self: self.sessions)
    @rule(number=ANY, on=INSTANCES)
    def refresh(self, number: int, on: int) -> None:
        """With the newest token."""
        session = self.some(number)
        response = self.call(on, "POST", "/auth/refresh-token", cookies=session.cookies)
        if not session.is_live:
            assert refused(response) == INVALID_REFRESH
            assert "set-cookie" not in response.headers
            return
        assert response.status_code == 200
        session.access.append(response.cookies["accessToken"])
        session.refresh.append(response.cookies["refreshToken"])
        session.leeway_is_over = False

    @precondition(lambda self: any(len(session.refresh) > 1 for session in self.sessions))
    @rule(number=ANY, back=st.integers(1, 3), on=INSTANCES)
    def replay(self, number: int, back: int, on: int) -> None:
        """With an older token: forgiven if it is the newest one's parent and not too old."""
        rotated = [session for session in self.sessions if len(session.refresh) > 1]
        session = rotated[number % len(rotated)]
        back = min(back, len(session.refresh) - 1)
        response = self.call(on, "POST", "/auth/refresh-token", cookies={"refreshToken": session.refresh[-1 - back]})
        if not session.is_live:
            assert refused(response) == INVALID_REFRESH
        elif back == 1 and not session.leeway_is_over:
            assert response.status_code == 200
            assert {name: response.cookies[name] for name in session.cookies} == session.cookies
            self.rows["TOKEN_REPLAYED"] += 1
            return
        else:
            assert refused(response) == REUSED
            self.end(on, *self.of(session.user))
            self.rows["TOKEN_REUSE_DETECTED"] += 1
        assert "set-cookie" not in response.headers

    @precondition(lambda self: self.sessions)
    @rule(number=ANY)
    def let_the_leeway_pass(self, number: int) -> None:
        """For one session, by the database's clock."""
        session = self.some(number)
        session.leeway_is_over = True
        self.world.sql.execute(
            "UPDATE sessions SET last_used_at = last_used_at - make_interval(secs => %s) WHERE id = %s",
            [LEEWAY + 1, session.id],
        )

    @precondition(lambda self: self.sessions)
    @rule(number=ANY, on=INSTANCES)
    def log_out(self, number: int, on: int) -> None:
        """Whether or not it is signed in."""
        session = self.some(number)
        assert self.call(on, "POST", "/auth/logout", cookies=session.cookies).status_code == 200
        self.rows["LOGOUT"] += len(self.end(on, session))

    @precondition(lambda self: self.sessions)
    @rule(by=ANY, number=ANY, on=INSTANCES)
    def end_one(self, by: int, number: int, on: int) -> None:
        """One's own, another of one's own, or somebody else's."""
        caller, target = self.some(by), self.some(number)
        response = self.call(on, "DELETE", f"/auth/sessions/{target.id}", cookies=caller.cookies)
        if not caller.is_live:
            assert refused(response) == INVALID
        elif target.is_live and target.user is caller.user:
            assert response.status_code == 200
            self.rows["SESSION_REVOKED"] += len(self.end(on, target))
        else:
            assert refused(response) == NOT_FOUND

    @precondition(lambda self: self.sessions)
    @rule(by=ANY, on=INSTANCES)
    def end_others(self, by: int, on: int) -> None:
        """All but the caller's."""
        caller = self.some(by)
        response = self.call(on, "DELETE", "/auth/sessions", cookies=caller.cookies)
        if not caller.is_live:
            assert refused(response) == INVALID
            return
        ended = self.end(on, *self.of(caller.user, but=caller))
        assert response.json()["data"] == {"ended": len(ended)}
        self.rows["SESSION_REVOKED"] += bool(ended)

    @precondition(lambda self: self.sessions)
    @rule(by=ANY, on=INSTANCES)
    def change_password(self, by: int, on: int) -> None:
        """Ends all, opens one."""
        caller = self.some(by)
        user, new = caller.user, token_hex(8)
        body = {"currentPassword": user.password, "newPassword": new}
        response = self.call(on, "POST", "/auth/change-password", body, cookies=caller.cookies)
        if not caller.is_live:
            assert refused(response) == INVALID
            return
        assert response.status_code == 200
        user.password = new
        self.end(on, *self.of(user))
        self.rows["CHANGE_PASSWORD"] += 1
        self.opened(user, response)

    @rule(number=USERS, on=INSTANCES)
    def reset_password(self, number: int, on: int) -> None:
        """With the token of a mail; a deleted user has none."""
        user, token, new = self.users[number], token_hex(32), token_hex(8)
        plant_reset_token(self.world.sql, user.id, token)
        response = self.call(on, "POST", "/auth/reset-password", {"token": token, "newPassword": new})
        if user.deleted_by is not None:
            assert response.status_code == 400
            return
        assert response.status_code == 200
        user.password = new
        self.end(on, *self.of(user))
        self.rows["RESET_PASSWORD"] += 1

    @precondition(lambda self: self.sessions)
    @rule(by=ANY, on=INSTANCES)
    def delete_account(self, by: int, on: int) -> None:
        """One's own."""
        caller = self.some(by)
        response = self.call(on, "DELETE", f"/users/{caller.user.id}", cookies=caller.cookies)
        if not caller.is_live:
            assert refused(response) == INVALID
            return
        assert response.status_code == 200
        caller.user.deleted_by = caller
        self.end(on, *self.of(caller.user))
        self.rows["DELETE_USER"] += 1

    @precondition(lambda self: any(user.deleted_by for user in self.users))
    @rule(number=USERS, on=INSTANCES)
    def restore_account(self, number: int, on: int) -> None:
        """By the session that deleted it, which stays ended all the same."""
        user = self.users[number]
        if user.deleted_by is None:
            return
        response = self.call(on, "PATCH", f"/users/{user.id}/restore", cookies=user.deleted_by.cookies)
        assert response.status_code == 200
        user.deleted_by = None
        self.rows["RESTORE_USER"] += 1

    @rule()
    def cut_the_feeds(self) -> None:
        """Of both instances, as a failing line would."""
        self.world.sql.execute(CUT_FEEDS)

    @invariant()
    def every_instance_knows(self) -> None:
        """Live sessions are accepted everywhere; what has just ended is not: where it ended at once, elsewhere soon."""
        now = time.monotonic()
        for session, on in self.ended_on.items():
            assert self.accepts(on, session) == {False}
            while self.accepts(1 - on, session) != {False}:
                assert time.monotonic() - now < BOUND_SECONDS, session
            for instance in (0, 1):
                spent = self.call(instance, "POST", "/auth/refresh-token", cookies=session.cookies)
                assert refused(spent) == INVALID_REFRESH
        self.ended_on = {}
        for session in self.sessions:
            # On both in turn, so that a later one is as good a witness.
            assert self.accepts(len(session.refresh) % 2, session) == {session.is_live}

    def accepts(self, on: int, session: Session) -> set[bool]:
        """What an instance says to the oldest and the newest access token: a bad path value comes after the guard."""
        answers = [
            self.call(on, "GET", "/users/x", cookies={"accessToken": token})
            for token in {session.access[0], session.access[-1]}
        ]
        assert {answer.status_code for answer in answers} <= {400, 401}
        return {answer.status_code == 400 for answer in answers}

    @invariant()
    def the_database_agrees(self) -> None:
        """As many sessions live as the model says, and as many rows of every kind were written."""
        ids = [user.id for user in self.users]
        live = self.world.sql.execute(
            "SELECT id::text FROM sessions WHERE user_id = ANY(%s) AND ended_at IS NULL", [ids]
        ).fetchall()
        assert {row["id"] for row in live} == {session.id for session in self.sessions if session.is_live}
        rows = self.world.sql.execute(
            "SELECT action, count(*) AS n FROM audit_logs WHERE entity_id = ANY(%s) GROUP BY action", [ids]
        ).fetchall()
        assert {row["action"]: row["n"] for row in rows} == +self.rows


@pytest.fixture
def world(start: Callable[..., Server], open_browser: Callable[..., Browser], database: str) -> Iterator[World]:
    """Two instances on one database, with a leeway that only SQL ends."""
    browsers = tuple(open_browser(start(REFRESH_LEEWAY_SECONDS=str(LEEWAY), **ONE_INSTALLATION)) for _ in range(2))
    with psycopg.connect(database, autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
        world = World((browsers[0], browsers[1]), sql)
        for browser in browsers:
            browser.fetch_csrf()
            world.csrf_cookies.append(browser.cookies["_csrf"])
        yield world


def test_any_order_of_beginnings_and_endings(world: World) -> None:
    """Whatever comes after whatever, on whichever instance, what
    has ended stays ended everywhere, what is live works, and each change is one row."""

    class InThisWorld(Sessions):
        pass

    InThisWorld.world = world
    run_state_machine_as_test(
        InThisWorld,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, derandomize=not IS_LONG, database=None, deadline=None
        ),
    )
