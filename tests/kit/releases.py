"""A release: its commands and its servers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.kit.command_line import Result, latchkey
from tests.kit.server import Server
from tests.kit.wire import Wire


@dataclass(frozen=True)
class Release:
    """One release on the database that both share. `code` says where its code is."""

    dsn: str
    directory: Path
    start_server: Callable[..., Server]
    code: dict[str, str]

    def command(self, *arguments: str) -> Result:
        """Runs `latchkey ARGUMENTS`, which must go well."""
        result = latchkey(*arguments, directory=self.directory, dsn=self.dsn, **self.code)
        assert result.code == 0, result
        return result

    def serve(self, **settings: str) -> Server:
        """Starts its server."""
        return self.start_server(**self.code, **settings)


class Unchecked(Wire):
    """Holds answers to nothing: those of a release whose document is another one."""

    def check(self, method: str, target: str, response: httpx.Response) -> None:
        """Lets every answer pass."""
