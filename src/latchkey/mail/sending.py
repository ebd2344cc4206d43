"""What sends a mail, and how it says that it could not."""

from typing import Protocol

from latchkey.mail.message import Mail


class NotSent(Exception):
    """The mail was not taken. The text says why, for the log and the operator: no address, no token, no content.

    `permanent`: trying again would be answered the same. `server_away`: no other mail would be taken now either.
    `detail` may be shown beside the recipient, where the text alone would leave open what the server meant.
    """

    def __init__(self, reason: str, *, permanent: bool = False, server_away: bool = False, detail: str = "") -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.server_away = server_away
        self.detail = detail


class Sender(Protocol):
    """Where mails go."""

    async def send(self, mail: Mail) -> None:
        """Hands a mail over; when this returns, somebody else is responsible for it. Raises NotSent."""

    async def rest(self) -> None:
        """Nothing more is to be sent for now: lets go of connections. Raises nothing."""
