"""`latchkey audit`: shows what was done to accounts, by which user and from where."""

import re
from dataclasses import asdict

from latchkey.app import FEATURES
from latchkey.audit import queries
from latchkey.audit.queries import AuditRow
from latchkey.feature import PlatformSettings
from latchkey.terminal.accounts import find_account
from latchkey.terminal.failing import fail
from latchkey.terminal.operation import AnyOperation, Operation, operate
from latchkey.terminal.output import print_json, print_table
from latchkey.users.user import USER_ID_MAX

COLUMNS = ("id", "created_at", "action", "actor_id", "entity_id", "metadata")


def list_audit(who: str | None, *, action: str | None, limit: int, as_json: bool) -> None:
    """Prints the newest audit rows first: all, or those by or about a user, or those of one action.

    `who` is an id or an address. An id need not be that of a user: rows outlive a user who was erased.
    """
    wanted = action.upper() if action else None
    actions = [each.value for feature in FEATURES if feature.actions for each in feature.actions]
    if wanted is not None and wanted not in actions:
        fail(f"unknown action {action!r}; actions are {', '.join(sorted(actions))}")

    async def read(operation: Operation[PlatformSettings]) -> list[AuditRow]:
        user_id = None if who is None else await _user_id(who, operation)
        return await queries.latest(operation.database, user_id=user_id, action=wanted, limit=limit)

    rows = operate(PlatformSettings, read)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    print_table(COLUMNS, [[*(getattr(row, name) for name in COLUMNS[:-1]), _words(row)] for row in rows])


async def _user_id(who: str, operation: AnyOperation) -> int:
    if re.fullmatch(r"[0-9]{1,10}", who, re.ASCII) and int(who) <= USER_ID_MAX:
        return int(who)
    return (await find_account(who, operation)).id


def _words(row: AuditRow) -> str:
    return " ".join(f"{name}={value}" for name, value in row.metadata.items())
