"""Locks by name: two features that lock different things never wait for each other."""

import asyncpg
import pytest

from latchkey.database.queries import lock_by_name


async def test_a_lock_keeps_out_its_own_name_only(database: str) -> None:
    """Until its transaction ends."""
    holder, other = await asyncpg.connect(database), await asyncpg.connect(database)
    try:
        async with holder.transaction():
            await lock_by_name(holder, "administrators")
            async with other.transaction():
                await other.execute("SET LOCAL lock_timeout = '100ms'")
                await lock_by_name(other, "signing_keys")
                with pytest.raises(asyncpg.LockNotAvailableError):
                    await lock_by_name(other, "administrators")
        async with other.transaction():
            await lock_by_name(other, "administrators")
    finally:
        await holder.close()
        await other.close()
