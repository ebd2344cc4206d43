"""Tokens of ended sessions are refused, if there is an API key."""

import asyncio
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Literal

import pytest
from latchkey_client import InvalidToken, Latchkey, Unavailable
from latchkey_client.endings import Endings, Page, fetch_page
from latchkey_client.fetching import FetchFailed

from tests.kit.issuer import API_KEY, Issuer, send
from tests.kit.waiting import eventually


@contextmanager
def following(
    issuer: Issuer, api_key: str = API_KEY, when_stale: Literal["accept", "refuse"] = "accept"
) -> Iterator[Latchkey]:
    """A Latchkey that follows what ends."""
    auth = Latchkey(issuer.url, api_key=api_key, when_stale=when_stale)
    yield auth
    auth.close()


def is_refused(auth: Latchkey, token: str) -> bool:
    try:
        auth.verify(token)
    except InvalidToken:
        return True
    return False


def test_a_session_that_ends_is_refused_soon(issuer: Issuer) -> None:
    sid = str(uuid.uuid4())
    token, other = issuer.token(sid=sid), issuer.token()
    with following(issuer) as auth:
        assert auth.verify(token).session_id == sid
        issuer.end(sid)
        eventually(lambda: is_refused(auth, token), "it is refused")
        assert auth.verify(other).id == 7


def test_what_ended_before_the_first_token_is_known_at_the_first_token(issuer: Issuer) -> None:
    ended = [str(uuid.uuid4()) for _ in range(25)]
    issuer.page_size = 10
    for sid in ended:
        issuer.end(sid)
    with following(issuer) as auth:
        assert all(is_refused(auth, issuer.token(sid=sid)) for sid in ended)
    assert issuer.count("/revocations") >= 3


def test_the_same_without_blocking_the_event_loop(issuer: Issuer) -> None:
    sid = str(uuid.uuid4())
    issuer.end(sid)
    with following(issuer) as auth:
        with pytest.raises(InvalidToken, match="ended"):
            asyncio.run(auth.averify(issuer.token(sid=sid)))
        assert asyncio.run(auth.averify(issuer.token())).id == 7


def test_many_threads_start_one_follower(issuer: Issuer) -> None:
    with following(issuer) as auth, ThreadPoolExecutor(50) as pool:
        assert {user.id for user in pool.map(auth.verify, [issuer.token() for _ in range(200)])} == {7}
        eventually(lambda: any("since" in path for path in issuer.paths), "it waits for more")
        first = [path for path in issuer.paths if path.startswith("/revocations") and "since" not in path]
        assert len(first) == 1


@pytest.mark.parametrize("when_stale", ["accept", "refuse"])
def test_endings_that_cannot_be_learned_are_stale_from_the_start(
    issuer: Issuer, when_stale: Literal["accept", "refuse"]
) -> None:
    with following(issuer, "lk_of_another_latchkey", when_stale) as auth:
        if when_stale == "accept":
            assert auth.verify(issuer.token()).id == 7
        else:
            with pytest.raises(Unavailable):
                auth.verify(issuer.token())


def test_a_refused_api_key_is_logged_with_what_it_needs(issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    with following(issuer, "lk_of_another_latchkey") as auth:
        auth.verify(issuer.token())
        eventually(lambda: "revocations:read" in caplog.text, "it is logged")
    assert "lk_of_another_latchkey" not in caplog.text


def test_it_goes_on_when_latchkey_comes_back(issuer: Issuer) -> None:
    sid = str(uuid.uuid4())
    with following(issuer) as auth:
        assert auth.verify(issuer.token(sid=sid)).id == 7
        issuer.is_down = True
        asked = issuer.count("/revocations")
        # Lets the request go that waits now.
        issuer.end(str(uuid.uuid4()))
        eventually(lambda: issuer.count("/revocations") > asked, "it asks again")
        issuer.end(sid)
        assert auth.verify(issuer.token(sid=sid)).id == 7
        issuer.is_down = False
        eventually(lambda: is_refused(auth, issuer.token(sid=sid)), "it has caught up")


def test_a_closed_latchkey_asks_no_more(issuer: Issuer) -> None:
    with following(issuer) as auth:
        auth.verify(issuer.token())
    issuer.end(str(uuid.uuid4()))
    assert auth.verify(issuer.token()).id == 7


class Feed:
    """Answers of /revocations that the test gives, one at a time, and a clock that it sets."""

    def __init__(self, when_stale: Literal["accept", "refuse"] = "refuse") -> None:
        self.now = 1000.0
        self.asked: list[tuple[str | None, int]] = []
        self.answers: list[Page | Exception] = []
        self.is_waiting = False
        self.endings = Endings(self.answer, when_stale, lambda: self.now)

    def answer(self, since: str | None, wait: int) -> Page:
        """Waits for an answer and gives it."""
        self.asked.append((since, wait))
        self.is_waiting = True
        eventually(lambda: bool(self.answers), "the test gives an answer", within=120)
        self.is_waiting = False
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def give(self, *answers: Page | Exception) -> None:
        """Gives answers, and waits until all have been taken."""
        self.answers += answers

        def are_taken() -> bool:
            self.endings.follow()
            return not self.answers and self.is_waiting

        eventually(are_taken, "the answers are taken, and the next one is asked for")

    def has_ended(self, session_id: str) -> bool:
        """Tells whether a session is known to have ended. Raises Unavailable."""
        try:
            self.endings.check(session_id)
        except InvalidToken:
            return True
        return False


def page(*sessions: str, cursor: str = "c", more: bool = False) -> Page:
    return Page(list(sessions), cursor, more)


@pytest.fixture
def feed() -> Iterator[Feed]:
    feed = Feed()
    yield feed
    feed.endings.stop()
    feed.answers.append(page())


def test_the_cursor_goes_along(feed: Feed) -> None:
    feed.give(page("a", cursor="1", more=True), page("b", cursor="2", more=True), page("c", cursor="3"))
    assert feed.asked == [(None, 0), ("1", 0), ("2", 0), ("3", 5)]
    assert [feed.has_ended(session_id) for session_id in "abcd"] == [True, True, True, False]


def test_an_ended_session_is_remembered_for_61_minutes_from_its_last_arrival(feed: Feed) -> None:
    feed.give(page("a", "b"))
    feed.now += 1800
    feed.give(page("b", "c"))
    feed.now += 1860
    feed.give(page())
    assert [feed.has_ended(session_id) for session_id in "abc"] == [True, True, True]
    feed.now += 1
    feed.give(page("d"))
    assert [feed.has_ended(session_id) for session_id in "abcd"] == [False, True, True, True]


def test_over_ten_seconds_behind_is_stale(feed: Feed) -> None:
    feed.give(page())
    feed.now += 10
    assert not feed.has_ended("a")
    feed.now += 0.1
    with pytest.raises(Unavailable):
        feed.has_ended("a")
    feed.give(page("b"))
    assert not feed.has_ended("a")
    assert feed.has_ended("b")


def test_part_of_an_answer_does_not_make_it_fresh(feed: Feed) -> None:
    feed.give(page())
    feed.now += 11
    feed.give(page("a", more=True))
    assert feed.has_ended("a"), "what is known to have ended is refused all the same"
    with pytest.raises(Unavailable):
        feed.has_ended("b")


def test_stale_tokens_hold_if_the_app_says_so() -> None:
    feed = Feed("accept")
    feed.give(page("a"))
    feed.now += 3000
    assert feed.has_ended("a")
    assert not feed.has_ended("b")
    feed.endings.stop()
    feed.answers.append(page())


def test_a_cursor_that_latchkey_does_not_know_is_dropped(feed: Feed) -> None:
    feed.give(page("a", cursor="1"), FetchFailed("the answer is 400", 400), page("b", cursor="2"))
    assert feed.asked == [(None, 0), ("1", 5), (None, 0), ("2", 5)]
    assert feed.has_ended("a")
    assert feed.has_ended("b")


def test_a_failure_keeps_the_cursor(feed: Feed) -> None:
    feed.give(page(cursor="1"), FetchFailed("TimeoutError"), page("a", cursor="2"))
    assert feed.asked == [(None, 0), ("1", 5), ("1", 5), ("2", 5)]
    assert feed.has_ended("a")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_has_died_is_started_again(feed: Feed) -> None:
    """An error that nobody has thought of must not let endings go unseen for ever."""
    feed.give(page("a"), ZeroDivisionError())
    feed.give(page("b"))
    assert feed.has_ended("b")


WRONG_PAGES = [
    "[]",
    "{}",
    '{"data":null}',
    '{"data":{"sessions":"a","cursor":"c","more":false}}',
    '{"data":{"sessions":[1],"cursor":"c","more":false}}',
    '{"data":{"sessions":[],"cursor":1,"more":false}}',
    '{"data":{"sessions":[],"cursor":"c","more":0}}',
    "[" * 50_000,
]


@pytest.mark.parametrize("text", WRONG_PAGES, ids=[text[:40] for text in WRONG_PAGES])
def test_a_wrong_page_counts_as_a_failure(issuer: Issuer, text: str) -> None:
    issuer.answer_jwks = lambda request: send(request, 200, text.encode())
    with pytest.raises(FetchFailed, match="page"):
        fetch_page(f"{issuer.url}/.well-known/jwks.json", API_KEY, None, 0)


def test_ended_sessions_are_followed_where_the_keys_are_fetched(issuer: Issuer) -> None:
    sid, public = str(uuid.uuid4()), "https://accounts.example.com"
    issuer.end(sid)
    auth = Latchkey(public, jwks_url=f"{issuer.url}/.well-known/jwks.json", api_key=API_KEY)
    with pytest.raises(InvalidToken, match="ended"):
        auth.verify(issuer.token(sid=sid, iss=public, aud=public))
    auth.close()


def test_arguments_that_cannot_work_are_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="api_key"):
        Latchkey("https://accounts.example.com", when_stale="refuse")
    with pytest.raises(ValueError, match="when_stale"):
        Latchkey("https://accounts.example.com", api_key=API_KEY, when_stale="never")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="same address"):
        Latchkey("https://accounts.example.com", jwks_url="https://cdn.example.com/keys.json", api_key=API_KEY)


@pytest.mark.parametrize("api_key", ["", "secret", "lk_", "lk_a b", "lk_a\r\nX-Evil: 1", "LK_a"])
def test_what_is_no_api_key_is_refused_at_the_start(api_key: str) -> None:
    with pytest.raises(ValueError, match="lk_"):
        Latchkey("https://accounts.example.com", api_key=api_key)
