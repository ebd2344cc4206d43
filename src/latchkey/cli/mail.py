"""`latchkey mail`: lists the outbox and retries mails that were given up."""

from dataclasses import asdict

from latchkey.feature import PlatformSettings
from latchkey.mail import operator_queries
from latchkey.mail.operator_queries import OutboxRow, State
from latchkey.terminal.failing import fail
from latchkey.terminal.operation import Operation, operate
from latchkey.terminal.output import print_json, print_line, print_table

COLUMNS = ("id", "kind", "recipient", "state", "attempts", "next_attempt_at", "last_error")
BIGINT_MAX = 2**63 - 1


def list_mail(*, state: State | None, limit: int, as_json: bool) -> None:
    """Prints the newest mails first: all, or those in one state."""

    async def read(operation: Operation[PlatformSettings]) -> list[OutboxRow]:
        return await operator_queries.newest(operation.database, state=state, limit=limit)

    rows = operate(PlatformSettings, read)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    print_table(COLUMNS, [[getattr(row, column) for column in COLUMNS] for row in rows])


def retry_mail(mail_id: int | None, *, all_failed: bool, as_json: bool) -> None:
    """Queues one dead letter, or all of them, to be sent again. A running server sends them within five seconds."""
    if (mail_id is None) != all_failed:
        fail("give the id of a mail, or --all")
    if mail_id is not None and mail_id > BIGINT_MAX:
        fail(f"there is no mail {mail_id}")

    async def retry(operation: Operation[PlatformSettings]) -> int:
        count = await operator_queries.retry(operation.database, mail_id)
        if not count and mail_id is not None:
            row = await operator_queries.find(operation.database, mail_id)
            if row is None:
                fail(f"there is no mail {mail_id}")
            fail(f"mail {mail_id} was not given up: it is {row.state}")
        return count

    count = operate(PlatformSettings, retry)
    if as_json:
        print_json({"retried": count})
        return
    print_line(f"{count} {'mail' if count == 1 else 'mails'} queued again")
