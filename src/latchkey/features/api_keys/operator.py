"""API keys at the operator's command line."""

import sys
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError

from latchkey.feature import PlatformSettings
from latchkey.features.api_keys.management import ApiKeys, CreatedKey, UnknownScopes
from latchkey.features.api_keys.queries import ApiKey
from latchkey.terminal.failing import explained, fail
from latchkey.terminal.operation import OPERATOR, Operation, operate
from latchkey.terminal.output import print_fields, print_json, print_line, print_table
from latchkey.users.fields import name as name_of_at_least

COLUMNS = ("id", "name", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")


def create(name: str, scopes: list[str], *, known: tuple[str, ...], expires_in_days: int | None, as_json: bool) -> None:
    """Creates a key and prints it. `expires_in_days` None: it never expires. Fails for unknown scopes."""
    try:
        checked: str = TypeAdapter(name_of_at_least(1)).validate_python(name)
    except ValidationError as error:
        fail(f"NAME {error.errors(include_input=False)[0]['msg']}")

    async def create_key(operation: Operation[PlatformSettings]) -> CreatedKey:
        keys = ApiKeys(operation.database, operation.audit, known)
        return await keys.create(checked, scopes, OPERATOR, expires_in_days=expires_in_days)

    with explained(UnknownScopes):
        created = operate(PlatformSettings, create_key)
    if as_json:
        print_json(asdict(created.stored) | {"key": created.secret})
        return
    print_line(created.secret)
    sys.stderr.write(
        f"This is the key {created.stored.id}. It is not shown again: store it where your server reads secrets.\n"
    )


def list_all(*, as_json: bool) -> None:
    """Prints all keys, newest first, without their secrets."""

    async def read(operation: Operation[PlatformSettings]) -> list[ApiKey]:
        return await _keys(operation).list_keys()

    keys = [asdict(key) for key in operate(PlatformSettings, read)]
    if as_json:
        print_json(keys)
        return
    print_table(COLUMNS, [[_shown(key)[column] for column in COLUMNS] for key in keys])


def revoke(key_id: str, *, as_json: bool) -> None:
    """Revokes a key and prints it. Fails if no key has that id; a key that was revoked before is printed as it is."""

    async def revoke_key(operation: Operation[PlatformSettings]) -> ApiKey:
        revoked = await _keys(operation).revoke(key_id, OPERATOR)
        if revoked is None:
            fail(f"there is no API key with the id {key_id}")
        return revoked

    revoked = asdict(operate(PlatformSettings, revoke_key))
    if as_json:
        print_json(revoked)
    else:
        print_fields(_shown(revoked))


def _keys(operation: Operation[PlatformSettings]) -> ApiKeys:
    return ApiKeys(operation.database, operation.audit, scopes=())


def _shown(key: dict[str, Any]) -> dict[str, Any]:
    return key | {"scopes": " ".join(key["scopes"])}
