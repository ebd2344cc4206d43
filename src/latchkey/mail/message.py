"""A mail to one person, as a composer describes it and as it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Letter:
    """What a composer makes of an outbox entry: the recipient, and the values of its template's variables.

    `user_id` is the account that the mail is about. `carries_token`: the link holds the entry's token, whose hash is
    stored once only.
    """

    to: str
    context: Mapping[str, str] = field(repr=False)
    user_id: int | None = None
    carries_token: bool = False


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it is sent. `text` and `html` may hold a secret, so nothing else may show them.

    `message_id` (without angle brackets) is the same in every attempt to send an entry.
    """

    message_id: str
    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
