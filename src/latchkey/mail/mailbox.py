"""The mails that this process sent, kept for a developer to read."""

from collections import deque
from dataclasses import dataclass

from latchkey.clock import Clock
from latchkey.mail.message import Mail
from latchkey.mail.sending import Sender

KEPT = 100


@dataclass(frozen=True, slots=True)
class Delivered:
    """A sent mail, and when it was sent, in seconds since the epoch."""

    mail: Mail
    at: float


class Mailbox:
    """Passes mails on to another sender and keeps the newest 100 in memory. For development only."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        self._sender = sender
        self._clock = clock
        self._kept: deque[Delivered] = deque(maxlen=KEPT)

    async def send(self, mail: Mail) -> None:
        """Sends a mail, and keeps it if the sender took it. Raises NotSent."""
        await self._sender.send(mail)
        self._kept.appendleft(Delivered(mail, self._clock()))

    async def close(self) -> None:
        """Closes the sender."""
        await self._sender.close()

    def newest_first(self) -> list[Delivered]:
        """Returns the sent mails, newest first."""
        return list(self._kept)
