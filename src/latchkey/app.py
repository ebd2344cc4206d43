"""The composition root: the edge in order, the endpoints, the life of one process. The table of contents."""

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
from latchkey.audit.record import AuditLog
from latchkey.auth.endpoints import AuthServices, auth_endpoints
from latchkey.auth.hashing import PasswordHasher
from latchkey.auth.known_devices import KnownDevices
from latchkey.auth.login import Login
from latchkey.auth.pages import client_endpoint, link_page_endpoints
from latchkey.auth.password_change import PasswordChanger
from latchkey.auth.recovery import RESET_MAIL, Recovery
from latchkey.auth.registration import INVITATION_MAIL, RegistrationDesk
from latchkey.auth.reset_links import ResetLinks
from latchkey.auth.schemas import password_bodies
from latchkey.auth.throttle import Throttle
from latchkey.auth.verification import EmailVerification
from latchkey.auth.verification_endpoints import verification_endpoints
from latchkey.clock import Clock, stopwatch, system_clock
from latchkey.counts import open_counts
from latchkey.database.pool import Database, DatabaseUnavailable, connect, open_database
from latchkey.health import health_endpoints
from latchkey.housekeeping.housekeeper import Housekeeper
from latchkey.housekeeping.queries import chores
from latchkey.http.docs import docs_endpoints
from latchkey.http.edge.client import ClientAddress
from latchkey.http.edge.cors import Cors
from latchkey.http.edge.csrf import Csrf
from latchkey.http.edge.edge import Edge
from latchkey.http.edge.rate_limit import RateLimit
from latchkey.http.routing import RouteTable
from latchkey.logs import configure_logging
from latchkey.mail.delivery import mail_from, mail_sender
from latchkey.mail.mailbox import Mailbox
from latchkey.mail.mailbox_page import mailbox_endpoints
from latchkey.mail.notices import NOTICES, compose_notice
from latchkey.mail.outbox import Outbox
from latchkey.mail.templates import Templates
from latchkey.mail.tokens import MailTokens
from latchkey.mail.worker import MailWorker
from latchkey.refusal import ServiceUnavailable
from latchkey.sessions.cookies import SessionCookies
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.endpoints import session_endpoints
from latchkey.sessions.feed import EndedSessions, RevocationFeed
from latchkey.sessions.guard import Guards
from latchkey.sessions.management import SessionManager
from latchkey.sessions.opening import SessionOpener
from latchkey.sessions.revocation import Logout, PresentedSessions
from latchkey.sessions.rotation import Rotation
from latchkey.sessions.tokens import Tokens
from latchkey.settings import Settings
from latchkey.urls import origin_of
from latchkey.users.accounts import CONFIRM_MAIL, VERIFY_MAIL, Accounts
from latchkey.users.endpoints import user_endpoints

SHUTDOWN_SECONDS = 5.0

OpenConnection = Callable[[], Awaitable[asyncpg.Connection]]


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of a running process that its life is about."""

    edge: Edge
    mail: MailWorker
    feed: RevocationFeed
    housekeeper: Housekeeper
    hasher: PasswordHasher


def build_service(settings: Settings, database: Database, open_connection: OpenConnection, clock: Clock) -> Service:
    """Builds every service with its collaborators. `settings` must hold both secrets; `open_connection` opens one
    beside the pool's."""
    assert settings.jwt_access_secret, "serve and dev see to the secrets"
    assert settings.jwt_refresh_secret, "serve and dev see to the secrets"
    access_secret = settings.jwt_access_secret.get_secret_value()
    refresh_secret = settings.jwt_refresh_secret.get_secret_value()
    secure = not settings.development

    audit = AuditLog(database, required=settings.audit_required)
    tokens = Tokens(access_secret, refresh_secret, clock)
    cookies = SessionCookies(prefix=settings.cookie_prefix, secure=secure)
    csrf = Csrf(
        access_secret,
        cookie_name=f"{settings.cookie_prefix}_csrf",
        secure=secure,
        own_origin=origin_of(settings.base_url()),
        allowed=settings.allowed_origins(),
    )
    ended = EndedSessions(stopwatch)
    feed = RevocationFeed(open_connection, ended, stopwatch, database.pooler_lends_sessions)
    guards = Guards(database, tokens, cookies, ended, feed, clock)
    ender = SessionEnder(ended)
    sessions = SessionOpener(tokens, clock, ender, max_days=settings.session_max_days, limit=settings.session_limit)
    hasher = PasswordHasher(settings.bcrypt_rounds, queue_seconds=settings.hash_queue_seconds)
    outbox = Outbox(database)
    counts = open_counts(settings.rate_limit_storage, clock)
    throttle = Throttle(counts, access_secret, clock, queue_seconds=settings.hash_queue_seconds)
    devices = KnownDevices(access_secret, prefix=settings.cookie_prefix, secure=secure)
    accounts = Accounts(
        database,
        audit,
        ender,
        outbox,
        confirm_email_change=settings.confirm_email_change,
        require_verified_email=settings.require_verified_email,
    )
    verification = EmailVerification(database, audit, outbox, accounts, page_url=settings.verify_page_url())
    recovery = Recovery(
        database, audit, hasher, throttle, outbox, ResetLinks(page_url=settings.reset_page_url()), ender
    )
    auth = AuthServices(
        csrf=csrf,
        cookies=cookies,
        presented=PresentedSessions(database, tokens, cookies),
        devices=devices,
        login=Login(
            database,
            audit,
            hasher,
            throttle,
            sessions,
            ender,
            outbox,
            require_verified_email=settings.require_verified_email,
            new_device_mail=settings.new_device_mail,
        ),
        logout=Logout(audit, ender),
        registration=RegistrationDesk(audit, hasher, outbox, require_verified_email=settings.require_verified_email),
        rotation=Rotation(database, audit, tokens, ender, leeway_seconds=settings.refresh_leeway_seconds),
        passwords=PasswordChanger(database, audit, hasher, throttle, sessions, ender, outbox),
        recovery=recovery,
        accounts=accounts,
    )

    endpoints = [
        *auth_endpoints(
            auth,
            guards,
            password_bodies(settings.password_min_length),
            registration_open=settings.registration == "open",
        ),
        *verification_endpoints(verification),
        *session_endpoints(SessionManager(database, audit, ender), guards, cookies),
        *user_endpoints(accounts, guards, everybody=settings.users_list == "all"),
        *health_endpoints(database),
    ]
    sender = mail_sender(settings, clock)
    mailbox = Mailbox(sender, clock) if sender and settings.development else None
    pages = [*link_page_endpoints(settings.root_path), *(mailbox_endpoints(mailbox) if mailbox else [])]
    docs = docs_endpoints(
        endpoints,
        version=__version__,
        root_path=settings.root_path,
        access_cookie=cookies.access_name,
        refresh_cookie=cookies.refresh_name,
    )
    edge = Edge(
        RouteTable([*endpoints, *docs, *pages, client_endpoint()]),
        cors=Cors(settings.allowed_origins()),
        client=ClientAddress(settings.trusted_proxies),
        rate_limit=RateLimit(settings.rate_limit, counts, clock),
        csrf=csrf,
        authenticators=guards.signed_in.authenticators,
        translated={DatabaseUnavailable: ServiceUnavailable},
        root_path=settings.root_path,
        logs_requests=settings.request_log,
    )
    mail = MailWorker(
        database,
        outbox,
        audit,
        {
            RESET_MAIL: recovery.compose,
            INVITATION_MAIL: recovery.compose_invitation,
            VERIFY_MAIL: verification.compose,
            CONFIRM_MAIL: verification.compose_change,
            **dict.fromkeys(NOTICES, compose_notice),
        },
        MailTokens(refresh_secret),
        Templates(settings.mail_templates, base_url=settings.base_url()),
        mailbox or sender,
        host=mail_from(settings).domain,
    )
    return Service(edge, mail, feed, Housekeeper(database, chores(settings)), hasher)


class Application:
    """The ASGI application of one process: opens the pool when it starts, writes what is pending when it stops."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._edge: Edge | None = None
        self._lifespan_protocol = Router(lifespan=self._lifespan)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            return self._lifespan_protocol.lifespan(scope, receive, send)
        assert scope["type"] == "http", "the server takes no WebSockets"
        assert self._edge is not None, "the server starts the lifespan before it accepts requests"
        return self._edge(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: ASGIApp) -> AsyncIterator[None]:
        settings = self._settings
        assert settings.database_url, "serve and dev see to the database"
        configure_logging(development=settings.development)
        url, production = settings.database_url.get_secret_value(), not settings.development
        database = await open_database(url, production=production)
        service = build_service(settings, database, partial(connect, url, production=production), system_clock)
        self._edge = service.edge
        mail = asyncio.create_task(service.mail.run())
        others = [asyncio.create_task(service.feed.run()), asyncio.create_task(service.housekeeper.run())]
        # What is loaded now stays: keeping it out of collections halves the longest pauses.
        gc.collect()
        gc.freeze()
        yield
        # The mail that is being sent is not broken off, unless it takes too long; then it is sent again later.
        service.mail.stop()
        await asyncio.wait([mail], timeout=SHUTDOWN_SECONDS)
        for task in (mail, *others):
            task.cancel()
        await asyncio.wait([mail, *others])
        service.hasher.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                await database.close()


def create_app(settings: Settings) -> ASGIApp:
    """The application for an ASGI server. Its process needs nothing from the environment but `settings`."""
    return Application(settings)
