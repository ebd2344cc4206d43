"""A search for audit rows: filters that must all hold, and their SQL, joined of constant fragments."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

# `{}` is the argument.
_CONDITIONS = {
    "actor_id": "actor_id = {}",
    "entity_id": "entity_id = {}",
    "user_id": "(entity_id = {0} OR actor_id = {0})",
    "action": "action = {}",
    "ip": "metadata->>'ip' = {}",
    "api_key_id": "metadata->>'apiKeyId' = {}",
    "since": "created_at >= {}",
    "until": "created_at <= {}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSearch:
    """Filters; None: not filtered. `user_id` is the user that a row is by or about."""

    actor_id: int | None = None
    entity_id: int | None = None
    user_id: int | None = None
    action: str | None = None
    ip: str | None = None
    api_key_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def about(self) -> str:
        """Returns a text that is the same for the same list."""
        return json.dumps(self.given(), default=str, sort_keys=True)

    def given(self) -> dict[str, Any]:
        """Returns the filters that are set."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def conditions(self, argument: Callable[[Any], str]) -> list[str]:
        """Returns the SQL of the filters. `argument` takes a value and returns its placeholder."""
        return [_CONDITIONS[name].format(argument(value)) for name, value in self.given().items()]
