"""`latchkey sessions`: who is signed in where, and ending it, for whoever runs the service."""

from dataclasses import asdict
from uuid import UUID

from latchkey.cli.accounts import found, live, named
from latchkey.cli.failing import fail
from latchkey.cli.operation import COMMAND_LINE, Operation, operate
from latchkey.cli.output import print_json, print_line, print_table
from latchkey.sessions.devices import device_name
from latchkey.sessions.errors import SessionNotFound
from latchkey.sessions.management import Revoker
from latchkey.sessions.queries import ListedSession

COLUMNS = ("id", "created_at", "last_used_at", "ip", "device")
OPERATOR = Revoker(user_id=None, session_id=None, origin=COMMAND_LINE)


def list_sessions(who: str, *, as_json: bool) -> None:
    """Prints the live sessions of a user, newest use first."""

    async def read(operation: Operation) -> list[ListedSession]:
        return await operation.sessions.live((await found(who, operation)).id)

    sessions = [asdict(session) | {"device": device_name(session.user_agent)} for session in operate(read)]
    if as_json:
        # Ids as text: JSON has none of its own.
        print_json([session | {"id": str(session["id"])} for session in sessions])
        return
    print_table(COLUMNS, [[session[column] for column in COLUMNS] for session in sessions])


def revoke_sessions(who: str, session_id: UUID | None, *, as_json: bool) -> None:
    """Ends one session of a user, or all of them when `session_id` is None; says how many that were."""

    async def revoke(operation: Operation) -> int:
        account = await live(who, operation)
        if session_id is None:
            return await operation.sessions.revoke_all(account.id, OPERATOR)
        try:
            await operation.sessions.revoke(account.id, session_id, OPERATOR)
        except SessionNotFound:
            fail(f"{named(account)} has no live session {session_id}")
        return 1

    ended = operate(revoke)
    if as_json:
        print_json({"ended": ended})
    else:
        print_line(f"{ended} ended")
