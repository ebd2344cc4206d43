"""The private part of a key, sealed for its row."""

from joserfc.jwk import Key

from latchkey.sealing import SealBroken, Sealer
from latchkey.signing.keys import import_private, private_bytes
from latchkey.signing.stored import StoredKey, StoredKeys

TABLE = "signing_keys"
COLUMN = "private_sealed"


def seal_private(sealer: Sealer, kid: str, key: Key) -> bytes:
    """Returns the sealed private part of a key, for the row of that kid."""
    return sealer.seal(private_bytes(key), table=TABLE, column=COLUMN, key=kid)


def open_private(sealer: Sealer, stored: StoredKey) -> Key | None:
    """Returns the private key of a row, or None if it was erased. Raises SealBroken."""
    if stored.private_sealed is None:
        return None
    return import_private(sealer.open(stored.private_sealed, table=TABLE, column=COLUMN, key=stored.kid))


def unreadable(sealer: Sealer, stored: StoredKeys) -> list[StoredKey]:
    """Returns the keys that have not left and whose private part does not open."""
    return [key for key in stored.listed if not _opens(sealer, key)]


def _opens(sealer: Sealer, stored: StoredKey) -> bool:
    try:
        open_private(sealer, stored)
    except SealBroken:
        return False
    return True


def is_stale(sealer: Sealer, stored: StoredKey) -> bool:
    """Tells whether another secret than the current one has sealed the private part of a key."""
    return stored.private_sealed is not None and not sealer.is_current(stored.private_sealed)
