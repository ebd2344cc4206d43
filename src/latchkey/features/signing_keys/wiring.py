"""Assembles signing keys."""

from latchkey.feature import Contribution, Platform
from latchkey.features.signing_keys.endpoints import jwks_endpoint
from latchkey.features.signing_keys.keeper import KeyKeeper
from latchkey.features.signing_keys.lifecycle import SigningKeys
from latchkey.features.signing_keys.settings import SigningKeySettings


def wire_signing_keys(platform: Platform, settings: SigningKeySettings) -> Contribution:
    """Returns the endpoint of the public keys, and the task that keeps the keys."""
    keeper = KeyKeeper(
        keys=SigningKeys(platform.database, platform.audit, platform.sealer, settings.signing_key_days),
        ring=platform.signing,
        names_issuer=platform.settings.names_issuer(),
    )
    return Contribution(
        endpoints=(jwks_endpoint(platform.signing),), before_serving=(keeper.prepare,), tasks=(keeper.run,)
    )
