"""Guesses in Redis or Valkey, through the connections of the counts there."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from latchkey.clock import Clock
from latchkey.counts import Counts, SharedCounts
from latchkey.features.sign_in.guesses import (
    LEASE_SECONDS,
    LONGEST_DELAY_SECONDS,
    WINDOW_SECONDS,
    Allowance,
    Ending,
    Guesses,
    MemoryGuesses,
)

if TYPE_CHECKING:
    from limits.aio.storage import RedisStorage
    from limits.aio.storage.redis.redispy import RedispyBridge

SCRIPT = Path(__file__).with_name("guesses.lua")


def open_guesses(counts: Counts, clock: Clock) -> Guesses:
    """Returns the guesses in the store of those counts."""
    return SharedGuesses(counts) if isinstance(counts, SharedCounts) else MemoryGuesses(clock)


class SharedGuesses:
    """See Guesses. Each step is one round trip."""

    def __init__(self, counts: SharedCounts) -> None:
        bridge = cast("RedispyBridge", cast("RedisStorage", counts.storage).bridge)
        self._run = bridge.get_connection().register_script(SCRIPT.read_bytes())
        self._prefix = bridge.key_prefix

    async def begin(self, guess: str, allowances: Sequence[Allowance]) -> float:
        """See Guesses."""
        return await self._step("begin", guess, allowances)

    async def end(self, guess: str, allowances: Sequence[Allowance], ending: Ending) -> None:
        """See Guesses."""
        await self._step(ending, guess, allowances)

    async def forget(self, allowances: Sequence[Allowance]) -> None:
        """See Guesses."""
        await self._step(Ending.SUCCEEDED, "", allowances)

    async def _step(self, step: str, guess: str, allowances: Sequence[Allowance]) -> float:
        keys = [f"{self._prefix}:guesses/{allowance.key}" for allowance in allowances]
        bounds = (WINDOW_SECONDS, LONGEST_DELAY_SECONDS, LEASE_SECONDS)
        return float(await self._run(keys, [str(step), guess, *bounds, *(allowance.free for allowance in allowances)]))
