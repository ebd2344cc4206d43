"""Data sets: users by COPY, and sessions minted as the service mints them, so that signing thousands in costs nothing."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import bcrypt
import psycopg

from latchkey.http.request_kind import Transport
from latchkey.keys import Secret
from latchkey.sessions.tokens import Parties, Tokens, token_hash
from latchkey.signing.ring import SigningKey
from tests.kit.signing_keys import FixedRing, mint

PASSWORD = "Secret123!"
ROUNDS = 10
FLOOR_SESSIONS = 256
"""Sessions that the floor rotates: their ids are UUID(int=1) and so on, of user 1, with `floor_hash(number, 0)`."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """The signing secrets of one run."""

    access: str
    refresh: str

    @classmethod
    def new(cls) -> "Secrets":
        """Random ones."""
        return cls(secrets.token_hex(32), secrets.token_hex(32))


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user with the tokens of a live session."""

    user_id: int
    access: str
    refresh: str


def email_of(number: int) -> str:
    """The address of the user with that id."""
    return f"user{number}@bench.example.com"


def load_users(dsn: str, count: int) -> float:
    """Fills an empty database with `count` users, ids from 1, one password; returns the seconds that took."""
    started = time.perf_counter()
    stored = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(ROUNDS)).decode()
    with psycopg.connect(dsn, autocommit=True) as connection:
        with connection.cursor().copy("COPY users (name, email, password) FROM STDIN") as copy:
            for lines in _lines(count, stored):
                copy.write(lines)
        with connection.cursor().copy("COPY sessions (id, user_id, token_hash, expires_at) FROM STDIN") as copy:
            for number in range(1, FLOOR_SESSIONS + 1):
                copy.write_row((UUID(int=number), 1, floor_hash(number, 0), _in_30_days()))
        connection.execute("VACUUM ANALYZE users")
        connection.execute("CHECKPOINT")
    return time.perf_counter() - started


def _lines(count: int, stored: str) -> Iterator[str]:
    for first in range(1, count + 1, 10_000):
        last = min(first + 10_000, count + 1)
        yield "".join(f"User Number {number}\t{email_of(number)}\t{stored}\n" for number in range(first, last))


def tokens_of(signing: Secrets, key: SigningKey | None = None, issuer: str = "") -> Tokens:
    """Mints as a server with these secrets and that key does; None: by the secret."""
    parties = Parties(issuer, issuer)
    return Tokens(Secret(signing.access), Secret(signing.refresh), FixedRing(key), time.time, parties=parties)


def sign_in(dsn: str, tokens: Tokens, user_ids: list[int], transport: Transport = Transport.COOKIE) -> list[SignedIn]:
    """Opens a session for each of the users, behind the service's back."""
    signed_in = []
    expires_at = _in_30_days()
    with (
        psycopg.connect(dsn) as connection,
        connection.cursor().copy("COPY sessions (id, user_id, token_hash, expires_at, transport) FROM STDIN") as copy,
    ):
        for user_id in user_ids:
            session_id = uuid4()
            pair = mint(tokens, user_id, session_id, transport=transport, not_after=expires_at.timestamp())
            refresh = pair.refresh.token
            copy.write_row((session_id, user_id, token_hash(refresh), expires_at, transport.value))
            signed_in.append(SignedIn(user_id, pair.access, refresh))
    return signed_in


def floor_hash(number: int, generation: int) -> bytes:
    """The hash that session `number` of the floor has after so many rotations."""
    return b"floor" + number.to_bytes(4, "big") + generation.to_bytes(23, "big")


def _in_30_days() -> datetime:
    return datetime.now(UTC) + timedelta(days=30)
