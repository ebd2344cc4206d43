"""The mails of sign-in."""

from pathlib import Path

from latchkey.mail.kinds import NOTICE_SAMPLES, MailKind

NEW_DEVICE_NOTICE = MailKind(
    "new-device", Path(__file__).parent / "mails", {**NOTICE_SAMPLES, "device": "Firefox on Linux"}
)
