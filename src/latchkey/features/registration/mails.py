"""The mail of registration."""

from pathlib import Path

from latchkey.mail.kinds import ACCOUNT_SAMPLES, LINK_SAMPLES, MailKind

INVITATION_MAIL = MailKind(
    "invitation",
    Path(__file__).parent / "mails",
    {"email": ACCOUNT_SAMPLES["email"], **LINK_SAMPLES, "hours": "72"},
)
