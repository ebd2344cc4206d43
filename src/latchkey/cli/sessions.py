"""`latchkey sessions`: lists and ends the sessions of a user, for operators."""

from dataclasses import asdict
from uuid import UUID

from latchkey.feature import PlatformSettings
from latchkey.sessions.devices import device_name
from latchkey.sessions.errors import SessionNotFound
from latchkey.sessions.list_queries import ListedSession
from latchkey.sessions.management import SessionManager
from latchkey.terminal.accounts import find_account, find_live, named
from latchkey.terminal.failing import fail
from latchkey.terminal.operation import OPERATOR, AnyOperation, Operation, operate
from latchkey.terminal.output import print_json, print_line, print_table

COLUMNS = ("id", "created_at", "last_used_at", "ip", "device")


def list_sessions(who: str, *, as_json: bool) -> None:
    """Prints all live sessions of a user, newest use first."""

    async def read(operation: Operation[PlatformSettings]) -> list[ListedSession]:
        return await _manager(operation).live((await find_account(who, operation)).id)

    sessions = [
        asdict(session)
        | {"device": (device_name(session.user_agent) if session.device is None else session.device) or None}
        for session in operate(PlatformSettings, read)
    ]
    if as_json:
        # JSON has no type for ids, so they are text.
        print_json([session | {"id": str(session["id"])} for session in sessions])
        return
    print_table(COLUMNS, [[session[column] for column in COLUMNS] for session in sessions])


def revoke_sessions(who: str, session_id: UUID | None, *, as_json: bool) -> None:
    """Ends one session of a user, or all of them if `session_id` is None, and prints how many."""

    async def revoke(operation: Operation[PlatformSettings]) -> int:
        account = await find_live(who, operation)
        if session_id is None:
            return await _manager(operation).revoke_all(account.id, OPERATOR)
        try:
            await _manager(operation).revoke(account.id, session_id, OPERATOR)
        except SessionNotFound:
            fail(f"{named(account)} has no live session {session_id}")
        return 1

    ended = operate(PlatformSettings, revoke)
    if as_json:
        print_json({"ended": ended})
    else:
        print_line(f"{ended} ended")


def _manager(operation: AnyOperation) -> SessionManager:
    return SessionManager(operation.database, operation.audit, operation.ender)
