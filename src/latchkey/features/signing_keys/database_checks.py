"""`latchkey doctor`'s checks of signing keys."""

import asyncpg

from latchkey.feature import PlatformSettings
from latchkey.features.signing_keys.queries import has_session
from latchkey.features.signing_keys.reasons import NO_ISSUER, NOT_STARTED
from latchkey.sealing import Sealer
from latchkey.signing.queries import read
from latchkey.signing.ring import UnreadableKeys
from latchkey.signing.sealed import is_stale, unreadable
from latchkey.signing.stored import Purpose, StoredKeys
from latchkey.terminal.finding import Finding, ok, problem, warning
from latchkey.terminal.secrets import SecretsUnreadable, refresh_secret

NAME = "signing keys"


async def check(settings: PlatformSettings, connection: asyncpg.Connection) -> tuple[Finding, ...]:
    """Checks that the keys can be opened, that tokens can name their issuer, and says what signs them."""
    stored = (await read(connection)).of(Purpose.ACCESS)
    if not stored.listed:
        if settings.names_issuer() and not await has_session(connection):
            return (ok(NAME, "none yet: a new installation makes the first one when it starts"),)
        reason = NOT_STARTED if settings.names_issuer() else NO_ISSUER
        return (warning(NAME, f"none: access tokens are signed with HS256, since {reason.message}", reason.advice),)
    return _opened(settings, stored), _issuer(settings)


def _opened(settings: PlatformSettings, stored: StoredKeys) -> Finding:
    try:
        secret = refresh_secret(settings)
    except (SecretsUnreadable, OSError) as error:
        return problem(NAME, f"cannot be opened: {error}", "correct that file")
    if secret is None:
        return problem(NAME, "cannot be opened without JWT_REFRESH_SECRET", "set it as the servers have it")
    sealer = Sealer(secret.current, secret.accepted)
    if closed := unreadable(sealer, stored):
        return problem(
            NAME,
            f"cannot be opened: {', '.join(key.kid for key in closed)}",
            UnreadableKeys([key.kid for key in closed]).advice,
        )
    if stale := [key.kid for key in stored.listed if is_stale(sealer, key)]:
        return warning(
            NAME,
            f"are sealed with a secret of JWT_REFRESH_SECRET_ACCEPTED: {', '.join(stale)}",
            "restart an instance before you remove that secret: the start seals them with JWT_REFRESH_SECRET",
        )
    signer, waiting = stored.signer, stored.waiting
    signs = f"{signer.alg} key {signer.kid} signs" if signer else "HS256 still signs"
    return ok(NAME, f"{signs}, {waiting.alg} key {waiting.kid} waits" if waiting else signs)


def _issuer(settings: PlatformSettings) -> Finding:
    name = "TOKEN_ISSUER"
    if settings.names_issuer():
        return ok(name, f"access tokens name the issuer {settings.issuer()}, for {settings.audience()}")
    return problem(
        name,
        f"neither it nor PUBLIC_URL is set: access tokens name the issuer {settings.issuer()}, which apps elsewhere"
        " cannot know",
        "set PUBLIC_URL",
    )
