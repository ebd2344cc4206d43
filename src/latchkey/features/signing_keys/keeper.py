"""Keeps the keys of a running instance: makes the first one, and rotates and erases in time."""

import asyncio
from dataclasses import dataclass

import asyncpg
import structlog

from latchkey.database.pool import DatabaseUnavailable
from latchkey.feature import StartRefused
from latchkey.features.signing_keys.lifecycle import SigningKeys
from latchkey.features.signing_keys.reasons import NO_ISSUER, NOT_STARTED
from latchkey.signing.ring import KeyRing, UnreadableKeys

EVERY_SECONDS = 60.0
RETRY_SECONDS = 1.0
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class KeyKeeper:
    """`names_issuer`: the settings say how other programs know this installation."""

    keys: SigningKeys
    ring: KeyRing
    names_issuer: bool
    _is_prepared: bool = False

    async def prepare(self) -> None:
        """Makes the first key of a new installation, seals keys again after a change of the secret, and loads the keys.

        Without the database, `run` does this as soon as it can. Raises StartRefused if a key cannot be opened, and if
        the database's role may not use the table.
        """
        try:
            await self._prepare()
        except UnreadableKeys as error:
            raise StartRefused(str(error)) from error
        except asyncpg.InsufficientPrivilegeError as error:
            raise StartRefused(
                f"{error.message}: GRANT SELECT, INSERT, UPDATE ON signing_keys TO the role of DATABASE_URL"
            ) from error
        except DatabaseUnavailable as error:
            log.warning("the signing keys wait for the database", cause=str(error))

    async def run(self) -> None:
        """Keeps the keys until cancelled."""
        while True:
            pause = EVERY_SECONDS
            try:
                if not self._is_prepared:
                    await self._prepare()
                await self.keys.tend()
            except UnreadableKeys:
                # The ring has logged it.
                pass
            except DatabaseUnavailable:
                pause = RETRY_SECONDS
            except Exception as error:  # a bug here must not end the service
                log.error("the signing keys could not be kept", exc_info=error)
            await asyncio.sleep(pause)

    async def _prepare(self) -> None:
        if self.names_issuer:
            await self.keys.make_first()
        await self.keys.seal_again()
        await self.ring.load()
        self._is_prepared = True
        if not self.ring.public_jwks():
            reason = NOT_STARTED if self.names_issuer else NO_ISSUER
            log.info("access tokens are signed with HS256", reason=reason.message, advice=reason.advice)
