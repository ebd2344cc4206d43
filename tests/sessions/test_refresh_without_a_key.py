"""A refresh while no key can sign access tokens: nothing has happened, so the same token works later."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from latchkey.audit.record import AuditLog
from latchkey.clock import stopwatch, system_clock
from latchkey.database.pool import Database, open_database
from latchkey.http.request_kind import Transport
from latchkey.keys import Secret
from latchkey.origin import Origin
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.feed import EndedSessions
from latchkey.sessions.rotation import Rotation
from latchkey.sessions.tokens import Parties, Tokens, token_hash
from latchkey.signing.keys import Algorithm, generate
from latchkey.signing.ring import KeysUnknown, SigningKey
from tests.kit.server import ACCESS_SECRET, REFRESH_SECRET
from tests.kit.signing_keys import FixedRing
from tests.kit.stored import Sql

KEY = generate(Algorithm.ES256)


class VanishingRing(FixedRing):
    """Its key can sign for as many tokens as `left` says; then it has left, and the next one does not open."""

    def __init__(self, left: int) -> None:
        super().__init__(SigningKey(KEY.thumbprint(), Algorithm.ES256.value, KEY))
        self.left = left

    def signer(self) -> SigningKey | None:
        self.left -= 1
        if self.left < 0:
            raise KeysUnknown("no signing key can be opened")
        return super().signer()


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Database]:
    """A pool on the test's database."""
    opened = await open_database(database, production=False)
    yield opened
    await opened.close()


@pytest.mark.parametrize("left", [0, 1])
async def test_the_token_is_rotated_and_answered_or_neither(pool: Database, own_sql: Sql, left: int) -> None:
    """Also if the key leaves while the database rotates: otherwise the next attempt would look like theft."""
    row = own_sql.execute(
        "INSERT INTO users (name, email, password) VALUES ('Siam', 'siam@example.com', 'x') RETURNING id"
    ).fetchone()
    assert row is not None
    ring = VanishingRing(left)
    tokens = Tokens(
        Secret(ACCESS_SECRET), Secret(REFRESH_SECRET), ring, system_clock, parties=Parties("issuer", "issuer")
    )
    cap = datetime.now(UTC) + timedelta(days=30)
    first = tokens.first(row["id"], uuid4(), transport=Transport.COOKIE, remember=True, not_after=cap.timestamp())
    own_sql.execute(
        "INSERT INTO sessions (id, user_id, token_hash, expires_at) VALUES (%s, %s, %s, %s)",
        [first.session_id, row["id"], token_hash(first.token), cap],
    )
    rotation = Rotation(
        pool, AuditLog(pool, required=True), tokens, SessionEnder(EndedSessions(stopwatch)), leeway_seconds=0
    )
    if left == 0:
        with pytest.raises(KeysUnknown):
            await rotation.refresh(first.token, Transport.COOKIE, Origin())
        ring.left = 1
    pair = await rotation.refresh(first.token, Transport.COOKIE, Origin())
    assert own_sql.execute("SELECT token_hash FROM sessions").fetchall() == [
        {"token_hash": token_hash(pair.refresh.token)}
    ]
