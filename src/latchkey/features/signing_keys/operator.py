"""The work of `latchkey keys`, for an operator at the command line."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from latchkey.feature import PlatformSettings
from latchkey.features.signing_keys.lifecycle import KeyChangeRefused, SigningKeys
from latchkey.features.signing_keys.reasons import NO_ISSUER
from latchkey.features.signing_keys.settings import SigningKeySettings
from latchkey.sealing import Sealer
from latchkey.signing.keys import Algorithm
from latchkey.signing.queries import read
from latchkey.signing.ring import UnreadableKeys
from latchkey.signing.stored import Purpose, StoredKey, StoredKeys
from latchkey.terminal.failing import explained, fail
from latchkey.terminal.operation import Operation, operate
from latchkey.terminal.output import print_json, print_line, print_table
from latchkey.terminal.secrets import SecretsUnreadable, refresh_secret

COLUMNS = ("kid", "alg", "state", "signs_from", "leaves_at")


class Settings(SigningKeySettings, PlatformSettings):
    """Settings that these commands read."""


def init(alg: str | None, *, discard_unreadable: bool, as_json: bool) -> None:
    """Makes a first key, or gives up the keys that do not open, and prints all keys that are left."""
    algorithm = Algorithm(alg) if alg else None

    async def change(keys: SigningKeys, settings: Settings) -> None:
        if not settings.names_issuer():
            fail(f"{NO_ISSUER.message}: set PUBLIC_URL first")
        if discard_unreadable:
            await keys.discard_unreadable(algorithm)
        else:
            await keys.init(algorithm)

    _print(_changed(change), as_json=as_json)


def rotate(*, now: bool, as_json: bool) -> None:
    """Makes the next key, and prints all keys that have not left."""
    _print(_changed(lambda keys, _: keys.rotate(now=now)), as_json=as_json)


def retire(kid: str, *, as_json: bool) -> None:
    """Makes a key leave, and prints all keys that have not left."""
    _print(_changed(lambda keys, _: keys.retire(kid)), as_json=as_json)


def show(*, as_json: bool) -> None:
    """Prints all keys."""
    stored = operate(Settings, _read)
    _print(stored, stored.keys, as_json=as_json)
    if not stored.keys and not as_json:
        print_line("no signing key: access tokens are signed with JWT_ACCESS_SECRET (HS256)")


def _changed(change: Callable[[SigningKeys, Settings], Awaitable[None]]) -> StoredKeys:
    async def run(operation: Operation[Settings]) -> StoredKeys:
        settings = operation.settings
        secret = refresh_secret(settings)
        if secret is None:
            fail("JWT_REFRESH_SECRET is not set: it seals the keys. Set it as the servers have it")
        sealer = Sealer(secret.current, secret.accepted)
        await change(SigningKeys(operation.database, operation.audit, sealer, settings.signing_key_days), settings)
        return await _read(operation)

    with explained(KeyChangeRefused), explained(UnreadableKeys), explained(SecretsUnreadable):
        return operate(Settings, run)


async def _read(operation: Operation[Settings]) -> StoredKeys:
    return (await read(operation.database)).of(Purpose.ACCESS)


def _print(stored: StoredKeys, keys: Sequence[StoredKey] | None = None, *, as_json: bool) -> None:
    rows = [_row(stored, key) for key in (stored.listed if keys is None else keys)]
    if as_json:
        print_json(rows)
    else:
        print_table(COLUMNS, [[row[column] for column in COLUMNS] for row in rows])


def _row(stored: StoredKeys, key: StoredKey) -> dict[str, Any]:
    return {
        "kid": key.kid,
        "alg": key.alg,
        "state": str(stored.state(key)),
        "signs_from": datetime.fromtimestamp(key.signs_from, UTC),
        "leaves_at": None if key.leaves_at is None else datetime.fromtimestamp(key.leaves_at, UTC),
        "created_at": datetime.fromtimestamp(key.created_at, UTC),
    }
