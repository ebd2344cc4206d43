"""The interface of senders, and their error."""

from typing import Protocol

from latchkey.mail.message import Mail


class NotSent(Exception):
    """The mail was not accepted. The text says why, for the log and the operator, without address, token or content.

    `permanent`: a further attempt would get the same answer. `server_away`: no other mail can be sent now either.
    `detail` is shown only beside the recipient, and quotes the server where the text alone is unclear.
    """

    def __init__(self, reason: str, *, permanent: bool = False, server_away: bool = False, detail: str = "") -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.server_away = server_away
        self.detail = detail


class Sender(Protocol):
    """Sends mails."""

    async def send(self, mail: Mail) -> None:
        """Sends a mail. On return, the next server is responsible for it. Raises NotSent."""

    async def close(self) -> None:
        """Closes connections that are not needed now. Raises nothing."""
