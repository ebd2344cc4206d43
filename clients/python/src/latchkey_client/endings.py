"""Ended sessions: one thread follows `GET /revocations` and remembers their ids."""

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Literal, TypeGuard
from urllib.parse import urlencode

from latchkey_client.errors import InvalidToken, Unavailable
from latchkey_client.fetching import FetchFailed, fetch

REMEMBERED_SECONDS = 3_660.0
"""An access token lives for an hour at most."""
BEHIND_SECONDS = 10.0
# Latchkey would wait 25 seconds. An answer every 5 proves that the connection is alive, well within BEHIND_SECONDS.
WAIT_SECONDS = 5
FETCH_SECONDS = 5.0
FETCH_MAX_BYTES = 1024 * 1024
PAUSE_SECONDS = 1.0
REFUSED_PAUSE_SECONDS = 30.0

_log = logging.getLogger("latchkey_client")


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of /revocations: ended sessions, where to go on, and whether there is more now."""

    sessions: list[str]
    cursor: str
    more: bool


def fetch_page(url: str, api_key: str, since: str | None, wait: int) -> Page:
    """Asks for the sessions that ended since a cursor. Raises FetchFailed."""
    query = {"wait": str(wait)} | ({} if since is None else {"since": since})
    body = fetch(
        f"{url}?{urlencode(query)}",
        headers={"x-api-key": api_key},
        seconds=wait + FETCH_SECONDS,
        max_bytes=FETCH_MAX_BYTES,
    )
    try:
        data = json.loads(body)["data"]
        sessions, cursor, more = data["sessions"], data["cursor"], data["more"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise FetchFailed("the answer is not a page of /revocations") from None
    if not (_is_list_of_text(sessions) and isinstance(cursor, str) and isinstance(more, bool)):
        raise FetchFailed("the answer is not a page of /revocations")
    return Page(sessions, cursor, more)


def _is_list_of_text(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


class Endings:
    """The sessions that ended in the last hour.

    The thread starts with the first token, so each forked process has its own.
    """

    def __init__(
        self,
        fetch_page: Callable[[str | None, int], Page],
        when_stale: Literal["accept", "refuse"],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch_page = fetch_page
        self._refuses_when_stale = when_stale == "refuse"
        self._clock = clock
        self._lock = Lock()
        self._stopped = Event()
        self._thread: Thread | None = None
        self._first_try = Future[None]()
        self._ended: OrderedDict[str, float] = OrderedDict()
        self._cursor: str | None = None
        self._complete_at = float("-inf")
        self._is_failing = False

    def follow(self) -> Future[None] | None:
        """Starts the thread if this process has none. Returns its first try, if a token has to wait for it."""
        if not self._is_followed() and not self._stopped.is_set():
            with self._lock:
                if not self._is_followed():
                    self._thread = Thread(target=self._run, name="latchkey revocations", daemon=True)
                    self._thread.start()
        return None if self._first_try.done() or self._stopped.is_set() else self._first_try

    def check(self, session_id: str) -> None:
        """Raises InvalidToken for an ended session, and Unavailable if that cannot be known and `when_stale` says so."""
        if session_id in self._ended:
            raise InvalidToken("its session has ended")
        if self._refuses_when_stale and self._clock() - self._complete_at > BEHIND_SECONDS:
            raise Unavailable("what has ended in the last seconds is not known")

    def stop(self) -> None:
        """Lets the thread end after its current request."""
        self._stopped.set()

    def after_fork(self) -> None:
        """Forgets the thread: it does not exist in a forked process."""
        was_stopped = self._stopped.is_set()
        self._lock, self._stopped = Lock(), Event()
        if was_stopped:
            self._stopped.set()
        self._thread = None
        self._first_try = Future()

    def _is_followed(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        first_try = self._first_try
        while not self._stopped.is_set():
            # Tokens wait for the first answer.
            wait = WAIT_SECONDS if first_try.done() and self._cursor is not None else 0
            asked_at = self._clock()
            try:
                page = self._fetch_page(self._cursor, wait)
            except FetchFailed as failure:
                pause = self._failed(failure)
            else:
                self._take(page, self._clock())
                if page.more:
                    continue
                # Latchkey does not wait if two processes wait with this key already.
                at_once = wait and not page.sessions and self._clock() - asked_at < PAUSE_SECONDS
                pause = PAUSE_SECONDS if at_once else 0.0
            if not first_try.done():
                first_try.set_result(None)
            self._stopped.wait(pause)

    def _take(self, page: Page, now: float) -> None:
        for session_id in page.sessions:
            self._ended[session_id] = now
            self._ended.move_to_end(session_id)
        while self._ended and now - next(iter(self._ended.values())) > REMEMBERED_SECONDS:
            self._ended.popitem(last=False)
        self._cursor = page.cursor
        if not page.more:
            self._complete_at = now
            if self._is_failing:
                _log.warning("Ended sessions are known again")
            self._is_failing = False

    def _failed(self, failure: FetchFailed) -> float:
        """Returns the seconds to pause before the next request."""
        if not self._is_failing:
            _log.warning("Cannot learn which sessions have ended: %s", failure)
        self._is_failing = True
        if failure.status == 400:
            # Latchkey does not know the cursor, so begin again with the last hour.
            self._cursor = None
        elif failure.status is not None and 400 < failure.status < 500:
            _log.error("Latchkey answers /revocations with %s. The API key needs revocations:read", failure.status)
            return REFUSED_PAUSE_SECONDS
        return PAUSE_SECONDS
