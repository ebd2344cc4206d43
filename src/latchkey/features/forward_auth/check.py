"""Decides whether a request to an app may pass."""

from dataclasses import replace
from functools import partial
from urllib.parse import quote
from uuid import UUID

import structlog

from latchkey.clock import Clock
from latchkey.database.batched_reads import BatchedReads
from latchkey.database.pool import Database
from latchkey.features.forward_auth import queries
from latchkey.features.forward_auth.errors import CheckRefused, RoleRequired, SignInFirst
from latchkey.features.forward_auth.forwarded import app_origin, app_url, is_safe
from latchkey.features.forward_auth.origin_rule import OriginRule
from latchkey.features.forward_auth.queries import Profile, SignedInAs
from latchkey.features.forward_auth.query import CheckQuery
from latchkey.http.authenticate import Principal
from latchkey.http.endpoint import PASSED_ON
from latchkey.http.errors import Unauthorized
from latchkey.http.exchange import Exchange
from latchkey.http.request_kind import RequestKind
from latchkey.http.validation import parse_query
from latchkey.refusal import Refusal, ValidationFailed
from latchkey.sessions.errors import AccessTokenExpired, AccessTokenInvalid, ReauthenticationRequired

SIGNING_IN_HELPS = (Unauthorized, AccessTokenInvalid, AccessTokenExpired)

log = structlog.get_logger(__name__)


class ForwardAuth:
    """Answers the questions of proxies. `sign_in_url`: where browsers sign in; empty: nowhere."""

    def __init__(self, database: Database, clock: Clock, rule: OriginRule, *, sign_in_url: str) -> None:
        self._sessions: BatchedReads[UUID, SignedInAs] = BatchedReads(partial(queries.find_sessions, database))
        self._profiles: BatchedReads[int, Profile] = BatchedReads(partial(queries.find_profiles, database))
        self._clock = clock
        self._rule = rule
        self._sign_in_url = sign_in_url
        self._warned_of_query = False

    async def admit(
        self, exchange: Exchange, principal: Principal, query: CheckQuery
    ) -> tuple[Principal, Profile | None]:
        """Returns who sent a request that may pass.

        Asks the database only for the profile, for a role that the token does not say, and before it says that a
        sign-in is too old: the session's row may be newer. Raises OriginRefused, RoleRequired, ReauthenticationRequired, and
        AccessTokenInvalid if the account was deleted meanwhile.
        """
        self._rule.check(exchange)
        is_young = query.max_age is None or self._is_younger(principal, query.max_age)
        if principal.role is None or not is_young:
            stored = await self._sessions.read(principal.session_id)
            if stored is None:
                raise AccessTokenInvalid
            principal = replace(principal, role=stored.role, amr=stored.amr, authenticated_at=stored.authenticated_at)
            is_young = query.max_age is None or stored.age <= query.max_age
        if query.role is not None and principal.role != query.role:
            raise RoleRequired
        if not is_young:
            assert query.max_age is not None, "without it no sign-in is too old"
            raise ReauthenticationRequired(query.max_age)
        profile = None
        if query.profile:
            profile = await self._profiles.read(principal.user_id)
            if profile is None:
                raise AccessTokenInvalid
        return principal, profile

    def _is_younger(self, principal: Principal, seconds: int) -> bool:
        """Tells whether the token says of a sign-in that it is younger. Its time is rounded, so it may lie ahead."""
        at = principal.authenticated_at
        return at is not None and max(0.0, self._clock() - at) < seconds

    def refuse(self, exchange: Exchange, error: Refusal) -> Refusal:
        """Returns the refusal that a proxy gets instead: one whose status it passes on, or a redirect to sign in."""
        if isinstance(error, ValidationFailed):
            self._warn_of_query(error)
        if isinstance(error, SIGNING_IN_HELPS) and (url := self._sign_in_page(exchange)):
            return SignInFirst(url)
        return error if error.status in PASSED_ON else CheckRefused()

    def _sign_in_page(self, exchange: Exchange) -> str | None:
        """Returns where a browser that opens a page is sent to sign in, or None: then it gets the refusal."""
        if not self._sign_in_url or exchange.kind is not RequestKind.COOKIE:
            return None
        if exchange.header("sec-fetch-mode") != "navigate":
            return None
        url = app_url(exchange)
        # A URL elsewhere would make of the sign-in page a redirect to strangers.
        if not (url and is_safe(exchange) and self._rule.counts(app_origin(exchange), exchange)):
            return None
        try:
            query = parse_query(CheckQuery, exchange)
        except ValidationFailed:
            return None
        assert isinstance(query, CheckQuery)
        if not query.redirect:
            return None
        separator = "&" if "?" in self._sign_in_url else "?"
        return f"{self._sign_in_url}{separator}returnTo={quote(url, safe='')}"

    def _warn_of_query(self, error: ValidationFailed) -> None:
        """Logs a bad query once: it is in the proxy's configuration, and its 401 does not say so."""
        if not self._warned_of_query:
            self._warned_of_query = True
            bad = "; ".join(f"{each.field} {each.message}" for each in error.fields)
            log.warning("checks of a proxy are refused for their query", query=bad)
