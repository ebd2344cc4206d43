"""The contract between app.py and a feature: what the platform provides, and what a feature contributes.

Importing this module loads no machinery, so the command line starts fast.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from latchkey.audit.chores import chores as audit_chores
from latchkey.audit.settings import AuditSettings
from latchkey.hashing.settings import HashingSettings
from latchkey.housekeeping.chore import Chore
from latchkey.housekeeping.tally import Tally
from latchkey.http.settings import HttpSettings
from latchkey.mail.chores import CHORES as MAIL_CHORES
from latchkey.mail.kinds import MORE_NOTICES, MailKind
from latchkey.mail.settings import MailSettings
from latchkey.sessions.actions import SessionAction
from latchkey.sessions.chores import chores as session_chores
from latchkey.sessions.settings import SessionSettings
from latchkey.users.settings import UserSettings

if TYPE_CHECKING:
    import asyncio

    from latchkey.audit.record import AuditLog
    from latchkey.clock import Clock
    from latchkey.counts import Counts
    from latchkey.database.pool import Database
    from latchkey.hashing.costs import HashCosts
    from latchkey.hashing.hasher import PasswordHasher
    from latchkey.http.edge.csrf import Csrf
    from latchkey.http.edge.own_origin import OwnOrigin
    from latchkey.http.endpoint import Endpoint
    from latchkey.keys import Secret
    from latchkey.mail.outbox import Outbox
    from latchkey.mail.worker import Compose
    from latchkey.sealing import Sealer
    from latchkey.sessions.cookies import SessionCookies
    from latchkey.sessions.ending import SessionEnder
    from latchkey.sessions.feed import RevocationFeed
    from latchkey.sessions.guard import Guards
    from latchkey.sessions.presented import PresentedSessions
    from latchkey.sessions.tokens import Tokens
    from latchkey.signing.ring import KeyRing


class PlatformSettings(UserSettings, MailSettings, AuditSettings, SessionSettings, HashingSettings, HttpSettings):
    """The settings of the platform. A feature has its own model."""

    def issuer(self) -> str:
        """Returns the `iss` of access tokens: TOKEN_ISSUER, PUBLIC_URL, or this machine's URL."""
        return self.token_issuer or self.base_url()

    def audience(self) -> str:
        """Returns the `aud` of access tokens."""
        return self.token_audience or self.issuer()

    def names_issuer(self) -> bool:
        """Tells whether apps elsewhere can know the issuer. On a developer's machine, its own URL will do."""
        return bool(self.token_issuer or self.public_url) or self.development


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The machinery that features share, made once for a process. Both secrets are set.

    `dev`: `latchkey dev` serves and shows a developer what production hides. `stopping` is set when the process is about
    to stop: requests that wait for something are to be answered then.
    """

    settings: PlatformSettings
    dev: bool
    stopping: asyncio.Event
    clock: Clock
    access_secret: Secret
    refresh_secret: Secret
    database: Database
    audit: AuditLog
    outbox: Outbox
    hasher: PasswordHasher
    costs: HashCosts
    counts: Counts
    own_origin: OwnOrigin
    csrf: Csrf
    sealer: Sealer
    signing: KeyRing
    tokens: Tokens
    cookies: SessionCookies
    feed: RevocationFeed
    ender: SessionEnder
    guards: Guards
    presented_sessions: PresentedSessions


def _no_chores(_: Any) -> tuple[Chore, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """The declaration of a feature, at the top of its folder.

    `actions` are its audit actions, `mails` its kinds of mail, `scopes` what an API key may be allowed to do there.
    `chores` returns what housekeeping removes for it, given all settings; `tallies` are the numbers that its triggers
    keep. `checks`, `database_checks` and `commands` name its modules of that kind, which only `latchkey doctor` and the
    command line import.
    """

    name: str
    actions: type[StrEnum] | None = None
    mails: tuple[MailKind, ...] = ()
    scopes: type[StrEnum] | None = None
    chores: Callable[[Any], tuple[Chore, ...]] = _no_chores
    tallies: tuple[Tally, ...] = ()
    checks: str | None = None
    database_checks: str | None = None
    commands: str | None = None


PLATFORM = Feature(
    name="platform",
    actions=SessionAction,
    mails=(MORE_NOTICES,),
    chores=lambda settings: (*session_chores(settings), *MAIL_CHORES, *audit_chores(settings)),
)
"""The platform's own declaration, in the form of a feature."""


class StartRefused(Exception):
    """The process must not serve. The text says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What a feature adds to a running process: endpoints, and a composer for each kind of its mails.

    `before_serving` is awaited before the first request, and may raise StartRefused. `tasks` run while the process
    does, and are cancelled at its end.
    """

    endpoints: tuple[Endpoint[Any], ...] = ()
    composers: Mapping[str, Compose] = field(default_factory=dict)
    before_serving: tuple[Callable[[], Awaitable[None]], ...] = ()
    tasks: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = ()
