"""Where mails go on a developer's machine: the terminal."""

import sys

from latchkey.mail.message import Mail


async def print_mail(mail: Mail) -> None:
    """Prints a mail to standard output. For development only: it shows the secrets that a mail carries."""
    lines = [f"To: {mail.to}", f"Subject: {mail.subject}", "", *mail.text.split("\n")]
    sys.stdout.write("\n".join(["", *(f"  mail | {line}" for line in lines), "", ""]))
    sys.stdout.flush()
