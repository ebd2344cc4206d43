"""A mail to one person."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mail:
    """Address, subject and plain text. `text` may hold a secret: only the mail itself may show it."""

    to: str
    subject: str
    text: str
