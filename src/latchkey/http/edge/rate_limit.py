"""Rate limit: a fixed window for each client address or API key, counted by the `limits` library."""

import math

import limits
import structlog

from latchkey.clock import Clock
from latchkey.counts import Counts
from latchkey.http.errors import RateLimited
from latchkey.http.exchange import Exchange, answer_header

log = structlog.get_logger(__name__)


class RateLimit:
    """Counts requests. While the store is unreachable it lets requests pass and marks them (`limiter_failed`).

    Reads then continue, and login, which the limit protects from guessing, refuses. `of` is what is counted: each kind
    has counts of its own.
    """

    def __init__(self, limit: str, counts: Counts, clock: Clock, *, of: str = "address") -> None:
        self._item = limits.parse(limit)
        self._counts = counts
        self._seconds = self._item.get_expiry()
        # Made once: only the address or the key in it changes.
        self._key = self._item.key_for(of, "{}").format
        self._clock = clock
        self._store_failed = False
        self._constant_headers = [
            answer_header("RateLimit-Policy", f"{self._item.amount};w={self._seconds}"),
            answer_header("RateLimit-Limit", str(self._item.amount)),
        ]

    async def count(self, exchange: Exchange, who: str) -> None:
        """Counts one request of `who` and adds the RateLimit headers. Raises RateLimited above the limit."""
        try:
            used, ends_at = await self._counts.hit(self._key(who), self._seconds)
        except Exception as error:  # noqa: BLE001 its client's faults have no common class
            self._note_failure(error)
            exchange.limiter_failed = True
            return
        self._store_failed = False
        # A key without expiry (-1: its window has just ended) counts as a window that ends now.
        reset = max(0, math.ceil(ends_at - self._clock()))
        exchange.answer_headers += self._constant_headers
        exchange.answer_headers.append((b"ratelimit-remaining", b"%d" % max(0, self._item.amount - used)))
        exchange.answer_headers.append((b"ratelimit-reset", b"%d" % reset))
        if used > self._item.amount:
            raise RateLimited(headers=(("Retry-After", str(max(1, reset))),))

    async def note(self, who: str) -> None:
        """Counts one event of `who`, without headers and without a refusal."""
        try:
            await self._counts.hit(self._key(who), self._seconds)
        except Exception as error:  # noqa: BLE001 its client's faults have no common class
            self._note_failure(error)

    async def is_spent(self, who: str) -> bool:
        """Tells whether the next count of `who` is above the limit; False while the store is unreachable."""
        try:
            return await self._counts.get(self._key(who)) >= self._item.amount
        except Exception as error:  # noqa: BLE001 its client's faults have no common class
            self._note_failure(error)
            return False

    def _note_failure(self, error: Exception) -> None:
        if not self._store_failed:
            log.error("the rate limit's store cannot be reached: logins are refused", error=type(error).__name__)
        self._store_failed = True
