"""The mails of passwords."""

from pathlib import Path

from latchkey.mail.kinds import ACCOUNT_SAMPLES, LINK_SAMPLES, NOTICE_SAMPLES, MailKind

TEMPLATES = Path(__file__).parent / "mails"

RESET_MAIL = MailKind("reset-link", TEMPLATES, {**ACCOUNT_SAMPLES, **LINK_SAMPLES, "minutes": "15"})
PASSWORD_CHANGED_NOTICE = MailKind("password-changed", TEMPLATES, NOTICE_SAMPLES)
