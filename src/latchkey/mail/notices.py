"""Notices: mails that say what was done to an account, to the address that it had at the time, with nothing to click
but our own address. They carry no token, so that they need no look at the account when they are sent."""

from latchkey.audit.record import Change
from latchkey.mail.message import Letter
from latchkey.mail.outbox import Entry


async def compose_notice(_: Change, entry: Entry) -> Letter:
    """The notice of an outbox entry; the entry's details are variables of its template."""
    context = {
        "email": entry.recipient,
        "time": f"{entry.created_at:%Y-%m-%d %H:%M} UTC",
        "ip": entry.origin.ip or "unknown",
    }
    return Letter(entry.recipient, context | entry.details)
