"""Where mails go on a developer's machine: the terminal."""

import sys

from latchkey.mail.message import Mail


class Console:
    """Prints mails to standard output. For development only: it shows the secrets that a mail carries."""

    async def send(self, mail: Mail) -> None:
        """Prints the plain text of a mail."""
        lines = [f"To: {mail.to}", f"Subject: {mail.subject}", "", *mail.text.rstrip("\n").split("\n")]
        sys.stdout.write("\n".join(["", *(f"  mail | {line}" for line in lines), "", ""]))
        sys.stdout.flush()

    async def rest(self) -> None:
        """Nothing to let go of."""
