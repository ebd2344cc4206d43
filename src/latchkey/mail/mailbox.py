"""The mails that this process has sent, for a developer to look at."""

from collections import deque
from dataclasses import dataclass

from latchkey.clock import Clock
from latchkey.mail.message import Mail
from latchkey.mail.sending import Sender

KEPT = 100


@dataclass(frozen=True, slots=True)
class Delivered:
    """A mail, and when it was sent: seconds since the epoch."""

    mail: Mail
    at: float


class Mailbox:
    """Sends by another sender and keeps what was sent, in memory, the newest 100. For development only."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        self._sender = sender
        self._clock = clock
        self._kept: deque[Delivered] = deque(maxlen=KEPT)

    async def send(self, mail: Mail) -> None:
        """Sends it, and keeps it if it was taken. Raises NotSent."""
        await self._sender.send(mail)
        self._kept.appendleft(Delivered(mail, self._clock()))

    async def rest(self) -> None:
        """Lets the sender rest."""
        await self._sender.rest()

    def newest_first(self) -> list[Delivered]:
        """What was sent."""
        return list(self._kept)
