"""A release: its commands and its servers, as in production."""

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
    """One release on the database that both share. `code` says where its code is, `settings` hold for both."""

    dsn: str
    directory: Path
    start_server: Callable[..., Server]
    code: dict[str, str]
    settings: dict[str, str]

    def command(self, *arguments: str) -> Result:
        """Runs `latchkey ARGUMENTS`, which must go well."""
        result = latchkey(*arguments, directory=self.directory, dsn=self.dsn, **self.code, **self.settings)
        assert result.code == 0, result
        return result

    def serve(self) -> Server:
        """Starts its server."""
        return self.start_server(**self.code, **self.settings)


class Unchecked(Wire):
    """Holds answers to nothing: those of a release whose document is another one."""

    def check(self, method: str, target: str, response: httpx.Response) -> None:
        """Lets every answer pass."""


def mailed_token(smtp: SmtpServer, email: str) -> str:
    """The token of the reset mail to that address, which either release may have sent."""
    found: list[str] = []

    def arrived() -> bool:
        mails = [mail for mail in smtp.received if mail.recipients == [email] and "#token=" in mail.text]
        found.extend(mail.token for mail in mails)
        return bool(found)

    eventually(arrived, "the mail arrives")
    return found[0]
