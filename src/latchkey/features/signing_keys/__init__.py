"""Signing keys: makes, rotates and retires the keys of access tokens, and publishes their public parts."""

from latchkey.feature import Feature
from latchkey.features.signing_keys.actions import SigningKeyAction

SIGNING_KEYS = Feature(
    name="signing_keys",
    actions=SigningKeyAction,
    database_checks="latchkey.features.signing_keys.database_checks",
    commands="latchkey.features.signing_keys.commands",
)
