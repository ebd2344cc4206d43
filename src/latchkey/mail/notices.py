"""Notices: mails that report a change of an account to the address that the account had before it.

A notice has no link but to the service itself and carries no token, so composing it reads no account.
"""

from latchkey.audit.record import Change
from latchkey.mail.message import Letter
from latchkey.mail.outbox import Entry


async def compose_notice(_: Change, entry: Entry) -> Letter:
    """Returns the notice of an outbox entry. The entry's details are variables of its template."""
    context = {
        "email": entry.recipient,
        "time": f"{entry.created_at:%Y-%m-%d %H:%M} UTC",
        "ip": entry.origin.ip or "unknown",
    }
    return Letter(entry.recipient, context | entry.details)
