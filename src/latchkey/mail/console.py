"""The sender that prints mails to the terminal of `latchkey dev`."""

import sys

from latchkey.mail.message import Mail


class Console:
    """Prints mails to standard output. For development only: mails carry secrets."""

    async def send(self, mail: Mail) -> None:
        """Prints the plain text of a mail."""
        lines = [f"To: {mail.to}", f"Subject: {mail.subject}", "", *mail.text.rstrip("\n").split("\n")]
        sys.stdout.write("\n".join(["", *(f"  mail | {line}" for line in lines), "", ""]))
        sys.stdout.flush()

    async def close(self) -> None:
        """Does nothing: a terminal has no connection to close."""
