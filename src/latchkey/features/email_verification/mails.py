"""The mails of e-mail verification."""

from pathlib import Path

from latchkey.mail.kinds import ACCOUNT_SAMPLES, LINK_SAMPLES, NOTICE_SAMPLES, MailKind

TEMPLATES = Path(__file__).parent / "mails"

VERIFY_MAIL = MailKind("verify-email", TEMPLATES, {**ACCOUNT_SAMPLES, **LINK_SAMPLES, "hours": "24"})
CONFIRM_MAIL = MailKind("confirm-email", TEMPLATES, {**ACCOUNT_SAMPLES, **LINK_SAMPLES, "hours": "24"})
EMAIL_CHANGED_NOTICE = MailKind("email-changed", TEMPLATES, NOTICE_SAMPLES)
