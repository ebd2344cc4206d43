"""A mail to one person: what a composer says of it, and what is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Letter:
    """What a composer makes of an outbox entry: to whom, and the values of the variables of its kind's template.

    `user_id`: whose account it is about. `carries_token`: the link is made of the entry's token, which is not to be
    made a second time.
    """

    to: str
    context: Mapping[str, str] = field(repr=False)
    user_id: int | None = None
    carries_token: bool = False


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it is sent. `text` and `html` may hold a secret: only the mail itself may show it.

    `message_id` (without angle brackets) is the same whenever the same entry is sent again.
    """

    message_id: str
    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
