"""Creates, lists and revokes API keys. Each change is one transaction, with its audit row."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from latchkey.audit.actor import Actor
from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import Database
from latchkey.features.api_keys import queries
from latchkey.features.api_keys.actions import ApiKeyAction
from latchkey.features.api_keys.key_format import new_key, read_key
from latchkey.features.api_keys.queries import ApiKey

ENTITY_TYPE = "api_keys"


class UnknownScopes(Exception):
    """Some scopes are not known. The text names them, and the known ones."""


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key. `secret` is the whole key: it is shown once, and stored as its hash only."""

    stored: ApiKey
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Works on API keys. `scopes` are those that a key may have."""

    database: Database
    audit: AuditLog
    scopes: tuple[str, ...]

    async def create(
        self, name: str, scopes: Iterable[str], actor: Actor, *, expires_in_days: int | None
    ) -> CreatedKey:
        """Creates a key. `expires_in_days` None: it never expires. Raises UnknownScopes."""
        wanted = sorted(set(scopes))
        if unknown := [scope for scope in wanted if scope not in self.scopes]:
            raise UnknownScopes(f"{', '.join(unknown)} is no scope; the scopes are {', '.join(self.scopes)}")
        secret = new_key()
        presented = read_key(secret)
        assert presented is not None, "a new key has its own form"

        async def create_key(change: Change) -> ApiKey:
            stored = await queries.insert(
                change.connection, presented.id, name, presented.hash, wanted, expires_in_days, actor.user_id
            )
            details = {"id": stored.id, "scopes": wanted}
            await change.record(
                actor.event(ApiKeyAction.CREATE_API_KEY, None, details=details, entity_type=ENTITY_TYPE)
            )
            return stored

        return CreatedKey(await self.audit.change(create_key), secret)

    async def list_keys(self) -> list[ApiKey]:
        """Returns all keys, newest first, revoked and expired ones included."""
        return await queries.list_keys(self.database)

    async def revoke(self, key_id: str, actor: Actor) -> ApiKey | None:
        """Revokes a key and returns it; None if it does not exist.

        Every instance refuses it within 2 s. A key that was revoked before stays as it is, without another audit row.
        """

        async def revoke_key(change: Change) -> ApiKey | None:
            stored = await queries.lock(change.connection, key_id)
            if stored is None or stored.revoked_at is not None:
                return stored
            revoked = await queries.revoke(change.connection, key_id)
            await change.record(
                actor.event(ApiKeyAction.REVOKE_API_KEY, None, details={"id": key_id}, entity_type=ENTITY_TYPE)
            )
            return revoked

        return await self.audit.change(revoke_key)
