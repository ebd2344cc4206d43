"""The guards of the endpoints below /admin."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from latchkey.database.pool import Database
from latchkey.features.admin_access import queries
from latchkey.features.api_keys.guards import KeyGuards
from latchkey.http.authenticate import ApiKey, Authenticator, Guard, Principal
from latchkey.http.edge.client import parse_address
from latchkey.http.errors import Forbidden
from latchkey.http.exchange import Exchange
from latchkey.http.settings import Network
from latchkey.sessions.errors import AccessTokenInvalid, ReauthenticationRequired


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminAccess:
    """Makes the guards. `limit` counts requests without an API key.

    An admin's role, session and suspension are read from the database for each request. `networks` are those that may
    call; none: any. `recent_seconds` is how long a sign-in counts as recent.
    """

    database: Database
    signed_in: Guard
    keys: KeyGuards
    limit: Callable[[Exchange, str], Awaitable[None]]
    networks: tuple[Network, ...]
    recent_seconds: int

    def guard(self, scope: StrEnum, *, recent: bool = False) -> Guard:
        """Returns a guard that admits admins, and API keys with that scope. `recent`: admins have just signed in."""
        key = self.keys.authenticator(scope)

        async def find_key(exchange: Exchange) -> Principal | ApiKey:
            found = await key.find_principal(exchange)
            self._require_network(exchange)
            return found

        admitted = replace(key, find_principal=find_key, failures=(*key.failures, Forbidden))
        return Guard((admitted, *self.session_guard(recent=recent).authenticators), self.limit)

    def session_guard(self, *, recent: bool = False) -> Guard:
        """Returns a guard that admits admins in a session, and no API key."""
        return Guard(tuple(self._of_admins(each, recent=recent) for each in self.signed_in.authenticators), self.limit)

    async def require_recent(self, principal: Principal) -> None:
        """Raises ReauthenticationRequired unless that admin has just signed in, and AccessTokenInvalid if the session
        has ended."""
        caller = await queries.find_caller(self.database, principal.session_id, principal.user_id)
        if caller is None:
            raise AccessTokenInvalid
        self._require_recent(caller)

    def _require_recent(self, caller: queries.Caller) -> None:
        if caller.signed_in_seconds > self.recent_seconds:
            raise ReauthenticationRequired(self.recent_seconds)

    def _of_admins(self, authenticator: Authenticator, *, recent: bool) -> Authenticator:
        async def find_admin(exchange: Exchange) -> Principal | ApiKey:
            principal = await authenticator.find_principal(exchange)
            assert isinstance(principal, Principal), "a session's authenticator"
            caller = await queries.find_caller(self.database, principal.session_id, principal.user_id)
            if caller is None:
                raise AccessTokenInvalid
            # A session in which somebody acts for the user is not the user's.
            if not caller.is_admin or principal.actor_id is not None:
                raise Forbidden
            self._require_network(exchange)
            if recent:
                self._require_recent(caller)
            return principal

        failures = (Forbidden, ReauthenticationRequired) if recent else (Forbidden,)
        return replace(authenticator, find_principal=find_admin, failures=(*authenticator.failures, *failures))

    def _require_network(self, exchange: Exchange) -> None:
        if not self.networks:
            return
        address = parse_address(exchange.client_ip)
        if address is None or not any(address in network for network in self.networks):
            raise Forbidden
