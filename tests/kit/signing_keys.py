"""Access tokens as a server signs them: by the key in its database, or by the secret where there is none."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

from latchkey.clock import stopwatch
from latchkey.database.pool import open_database
from latchkey.http.request_kind import Transport
from latchkey.keys import Secret
from latchkey.sealing import Sealer
from latchkey.sessions.claims import AccessClaims
from latchkey.sessions.tokens import Lifetimes, Parties, TokenPair, Tokens
from latchkey.signing.ring import KeyRing, SigningKey, VerifyingKey
from tests.kit.server import ACCESS_SECRET, REFRESH_SECRET, Server

AS_USER = AccessClaims("user", ("pwd",), None)


class FixedRing(KeyRing):
    """A ring with at most one key, which no database holds."""

    def __init__(self, key: SigningKey | None = None) -> None:
        self._key = key

    def on_change(self, callback: Callable[[], None]) -> None:
        """Ignores it: nothing changes."""

    def signer(self) -> SigningKey | None:
        return self._key

    def find(self, kid: str) -> VerifyingKey | None:
        return VerifyingKey(kid, self._key.alg, self._key.key) if self._key and kid == self._key.kid else None

    def accepts_hs256(self) -> bool:
        return self._key is None


def read_key(dsn: str, refresh_secret: str = REFRESH_SECRET) -> SigningKey | None:
    """Returns the key that signs in that database, opened with that secret."""

    async def read() -> SigningKey | None:
        database = await open_database(dsn, production=False)
        try:
            ring = KeyRing(database, Sealer(refresh_secret), stopwatch)
            await ring.load()
            return ring.signer()
        finally:
            await database.close()

    # In a thread of its own: the test may run in an event loop.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(partial(asyncio.run, read())).result()


def tokens_of(server: Server, *, age: float = 0, lifetimes: Lifetimes | None = None) -> Tokens:
    """Returns what mints and reads tokens as that server does, or did `age` seconds ago."""
    return Tokens(
        Secret(ACCESS_SECRET),
        Secret(REFRESH_SECRET),
        FixedRing(read_key(server.dsn)),
        lambda: time.time() - age,
        parties=Parties(server.issuer, server.issuer),
        lifetimes=lifetimes,
    )


def mint(
    tokens: Tokens,
    user_id: int,
    session_id: UUID | str,
    *,
    transport: Transport = Transport.COOKIE,
    not_after: float = 2**40,
) -> TokenPair:
    """Returns first tokens of a session, with the claims of an ordinary user."""
    refresh = tokens.first(user_id, UUID(str(session_id)), transport=transport, remember=True, not_after=not_after)
    return tokens.pair(refresh, AS_USER, tokens.signer())
