"""A release of Latchkey: its commands and servers, as in production."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.kit.command_line import Result, latchkey
from tests.kit.server import Server
from tests.kit.smtp_server import SmtpServer
from tests.kit.waiting import eventually
from tests.kit.wire import Wire


@dataclass(frozen=True)
class Release:
    """A release on the database that both share. `code` is the directory of its code; `settings` are for both."""

    dsn: str
    directory: Path
    start_server: Callable[..., Server]
    code: dict[str, str]
    settings: dict[str, str]

    def command(self, *arguments: str) -> Result:
        """Runs `latchkey ARGUMENTS`, and fails if it fails."""
        result = latchkey(*arguments, directory=self.directory, dsn=self.dsn, **self.code, **self.settings)
        assert result.code == 0, result
        return result

    def serve(self) -> Server:
        """Starts its server."""
        return self.start_server(**self.code, **self.settings)


class Unchecked(Wire):
    """Checks no answers: the release has another document."""

    def check(self, method: str, target: str, response: httpx.Response) -> None:
        """Accepts every answer."""


def mailed_token(smtp: SmtpServer, email: str) -> str:
    """Returns the token of the reset mail to that address, which either release may have sent."""
    found: list[str] = []

    def arrived() -> bool:
        mails = [mail for mail in smtp.received if mail.recipients == [email] and "#token=" in mail.text]
        found.extend(mail.token for mail in mails)
        return bool(found)

    eventually(arrived, "the mail arrives")
    return found[0]
