"""API keys: how servers identify themselves, what each key may do, and the operator's commands."""

from latchkey.feature import Feature
from latchkey.features.api_keys.actions import ApiKeyAction

API_KEYS = Feature(
    name="api_keys",
    actions=ApiKeyAction,
    database_checks="latchkey.features.api_keys.database_checks",
    commands="latchkey.features.api_keys.commands",
)
