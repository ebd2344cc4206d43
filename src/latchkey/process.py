"""The life of a process: builds the platform and the features, runs the background tasks, and ends them."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import asyncpg
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from latchkey import __version__
from latchkey.app import FEATURES, MAIL_KINDS, Settings, wire
from latchkey.audit.record import AuditLog
from latchkey.clock import SECONDS_A_DAY, Clock, stopwatch, system_clock
from latchkey.counts import open_counts
from latchkey.database.pool import Database, DatabaseUnavailable, connect, open_database
from latchkey.feature import Contribution, Platform
from latchkey.hashing.costs import HashCosts
from latchkey.hashing.hasher import PasswordHasher
from latchkey.housekeeping.housekeeper import Housekeeper
from latchkey.http.csrf_token import csrf_token_endpoint
from latchkey.http.docs import docs_endpoints
from latchkey.http.edge.client import ClientAddress
from latchkey.http.edge.cors import Cors
from latchkey.http.edge.csrf import Csrf
from latchkey.http.edge.edge import Edge
from latchkey.http.edge.own_origin import OwnOrigin
from latchkey.http.edge.rate_limit import RateLimit
from latchkey.http.edge.request_kinds import RequestKinds
from latchkey.http.routing import RouteTable
from latchkey.keys import Secret
from latchkey.logs import configure_logging
from latchkey.mail.delivery import mail_from, mail_sender
from latchkey.mail.kinds import MORE_NOTICES
from latchkey.mail.mailbox import Mailbox
from latchkey.mail.mailbox_page import mailbox_endpoints
from latchkey.mail.notices import compose_notice
from latchkey.mail.outbox import Outbox
from latchkey.mail.templates import Templates
from latchkey.mail.tokens import MailTokens
from latchkey.mail.worker import MailWorker
from latchkey.refusal import ServiceUnavailable
from latchkey.sealing import Sealer
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.devices import load_rules
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.endpoints import session_endpoints
from latchkey.sessions.feed import EndedSessions, RevocationFeed
from latchkey.sessions.guard import Guards
from latchkey.sessions.logout import Logout
from latchkey.sessions.management import SessionManager
from latchkey.sessions.presented import PresentedSessions
from latchkey.sessions.rotation import Rotation
from latchkey.sessions.token_endpoints import token_endpoints
from latchkey.sessions.tokens import Lifetimes, Parties, Tokens
from latchkey.signing.ring import KeyRing
from latchkey.urls import origin_of

SHUTDOWN_SECONDS = 5.0

OpenConnection = Callable[[], Awaitable[asyncpg.Connection]]


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of a running process."""

    edge: Edge
    stopping: asyncio.Event
    mail: MailWorker
    feed: RevocationFeed
    signing: KeyRing
    housekeeper: Housekeeper
    hasher: PasswordHasher
    costs: HashCosts
    contributions: tuple[Contribution, ...]


def build_service(
    settings: Settings, database: Database, open_connection: OpenConnection, clock: Clock, *, dev: bool = False
) -> Service:
    """Builds the platform, the features and the background tasks. `settings` must hold both secrets.

    `open_connection` opens a connection outside the pool. `dev`: `latchkey dev` serves.
    """
    platform = build_platform(settings, database, open_connection, clock, dev=dev)
    contributions = (_sessions(platform), *wire(platform, settings))
    sender = mail_sender(settings, clock, prints=dev)
    mailbox = Mailbox(sender, clock) if sender and dev else None
    return Service(
        _edge(platform, contributions, mailbox),
        platform.stopping,
        MailWorker(
            database,
            platform.outbox,
            platform.audit,
            {kind: composer for each in contributions for kind, composer in each.composers.items()},
            MailTokens(platform.refresh_secret),
            Templates(MAIL_KINDS, settings.mail_templates, base_url=settings.base_url()),
            mailbox or sender,
            host=mail_from(settings).domain,
        ),
        platform.feed,
        platform.signing,
        Housekeeper(
            database,
            [chore for feature in FEATURES for chore in feature.chores(settings)],
            [tally for feature in FEATURES for tally in feature.tallies],
        ),
        platform.hasher,
        platform.costs,
        contributions,
    )


def build_platform(
    settings: Settings, database: Database, open_connection: OpenConnection, clock: Clock, *, dev: bool
) -> Platform:
    """Builds the machinery that features share."""
    assert settings.jwt_access_secret, "serve and dev see to the secrets"
    assert settings.jwt_refresh_secret, "serve and dev see to the secrets"
    access_secret = Secret.reveal(settings.jwt_access_secret, settings.jwt_access_secret_accepted)
    refresh_secret = Secret.reveal(settings.jwt_refresh_secret, settings.jwt_refresh_secret_accepted)
    secure = not settings.development
    lifetimes = Lifetimes(
        settings.access_token_seconds,
        settings.refresh_token_hours * 3600,
        settings.native_refresh_days * SECONDS_A_DAY,
    )
    sealer = Sealer(refresh_secret.current, refresh_secret.accepted)
    signing = KeyRing(database, sealer, stopwatch)
    parties = Parties(settings.issuer(), settings.audience())
    tokens = Tokens(access_secret, refresh_secret, signing, clock, parties=parties, lifetimes=lifetimes)
    cookies = SessionCookies(
        prefix=settings.cookie_prefix,
        secure=secure,
        lifetimes=lifetimes,
        root_path=settings.root_path,
        domain=settings.cookie_domain,
    )
    own_origin = OwnOrigin(public=origin_of(settings.public_url), assumed=origin_of(settings.base_url()))
    ended = EndedSessions(stopwatch)
    feed = RevocationFeed(open_connection, ended, stopwatch, database.pooler_lends_sessions)
    feed.on_changed(signing.hear)
    costs = HashCosts(access_secret, settings.bcrypt_rounds)
    feed.on_changed(costs.hear)
    guards = Guards(database, tokens, signing, cookies, ended, feed, clock)
    return Platform(
        settings=settings,
        dev=dev,
        stopping=asyncio.Event(),
        clock=clock,
        access_secret=access_secret,
        refresh_secret=refresh_secret,
        database=database,
        audit=AuditLog(database, required=settings.audit_required),
        outbox=Outbox(database),
        hasher=PasswordHasher(settings.bcrypt_rounds, queue_seconds=settings.hash_queue_seconds),
        costs=costs,
        counts=open_counts(settings.rate_limit_storage, clock),
        own_origin=own_origin,
        csrf=Csrf(
            access_secret,
            cookie_name=f"{settings.cookie_prefix}_csrf",
            secure=secure,
            own=own_origin,
            allowed=settings.allowed_origins(),
            explains=dev,
        ),
        sealer=sealer,
        signing=signing,
        tokens=tokens,
        cookies=cookies,
        feed=feed,
        ender=SessionEnder(ended),
        guards=guards,
        presented_sessions=PresentedSessions(database, tokens, guards, cookies),
    )


def _sessions(platform: Platform) -> Contribution:
    rotation = Rotation(
        platform.database,
        platform.audit,
        platform.tokens,
        platform.ender,
        leeway_seconds=platform.settings.refresh_leeway_seconds,
    )
    logout = Logout(platform.audit, platform.ender)
    manager = SessionManager(platform.database, platform.audit, platform.ender)
    return Contribution(
        endpoints=(
            csrf_token_endpoint(platform.csrf),
            *token_endpoints(rotation, logout, platform.presented_sessions, platform.cookies),
            *session_endpoints(manager, platform.guards, platform.cookies),
        ),
        composers={MORE_NOTICES.name: compose_notice},
    )


def _edge(platform: Platform, contributions: tuple[Contribution, ...], mailbox: Mailbox | None) -> Edge:
    settings = platform.settings
    endpoints = [endpoint for each in contributions for endpoint in each.endpoints]
    docs = docs_endpoints(
        endpoints,
        version=__version__,
        root_path=settings.root_path,
        access_cookie=platform.cookies.access_name,
        refresh_cookie=platform.cookies.refresh_name,
        explains=platform.dev,
    )
    return Edge(
        RouteTable([*endpoints, *docs, *(mailbox_endpoints(mailbox) if mailbox else [])]),
        cors=Cors(settings.allowed_origins(), frozenset(settings.native_origins), platform.own_origin),
        client=ClientAddress(settings.trusted_proxies),
        rate_limit=RateLimit(settings.rate_limit, platform.counts, platform.clock),
        csrf=platform.csrf,
        kinds=RequestKinds(
            (platform.cookies.access_name, platform.cookies.refresh_name), frozenset(settings.native_origins)
        ),
        translated={DatabaseUnavailable: ServiceUnavailable},
        root_path=settings.root_path,
        logs_requests=settings.request_log,
    )


class Application:
    """The ASGI application of a process: opens the pool at the start, and writes pending data at the end."""

    def __init__(self, settings: Settings, *, dev: bool) -> None:
        self._settings = settings
        self._dev = dev
        self._edge: Edge | None = None
        self._stopping: asyncio.Event | None = None
        self._lifespan_protocol = Router(lifespan=self._lifespan)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            return self._lifespan_protocol.lifespan(scope, receive, send)
        assert scope["type"] == "http", "the server takes no WebSockets"
        assert self._edge is not None, "the server starts the lifespan before it accepts requests"
        return self._edge(scope, receive, send)

    def stop_soon(self) -> None:
        """Has waiting requests answered, because the server is about to stop and waits for those that run."""
        if self._stopping is not None:
            self._stopping.set()

    @asynccontextmanager
    async def _lifespan(self, _: ASGIApp) -> AsyncIterator[None]:
        settings = self._settings
        assert settings.database_url, "serve and dev see to the database"
        configure_logging(development=settings.development)
        url, production = settings.database_url.get_secret_value(), not settings.development
        database = await open_database(url, production=production)
        open_connection = partial(connect, url, production=production)
        service = build_service(settings, database, open_connection, system_clock, dev=self._dev)
        self._edge = service.edge
        self._stopping = service.stopping
        try:
            for prepare in [prepare for each in service.contributions for prepare in each.before_serving]:
                await prepare()
        except BaseException:
            service.hasher.close()
            await database.close()
            raise
        mail = asyncio.create_task(service.mail.run())
        others = [asyncio.create_task(service.feed.run()), asyncio.create_task(service.housekeeper.run())]
        others.append(asyncio.create_task(service.signing.run(lambda: service.feed.is_healthy)))
        others += [asyncio.create_task(task()) for each in service.contributions for task in each.tasks]
        load_rules()
        others.append(asyncio.create_task(service.costs.run(database)))
        # Objects loaded so far stay. Leaving them out of collections halves the longest pauses.
        gc.collect()
        gc.freeze()
        yield
        # The mail in progress may finish within the limit; after it, it is sent again later.
        service.mail.stop()
        await asyncio.wait([mail], timeout=SHUTDOWN_SECONDS)
        for task in (mail, *others):
            task.cancel()
        await asyncio.wait([mail, *others])
        service.hasher.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                await database.close()


def create_app(settings: Settings, *, dev: bool = False) -> Application:
    """Returns the application for an ASGI server. It reads nothing from the environment but `settings`.

    `dev` is not a setting, so no environment can turn it on: only `latchkey dev` passes it.
    """
    return Application(settings, dev=dev)
