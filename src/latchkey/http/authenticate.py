"""Authentication of requests: authenticators, each for one kind of proof, tried in order."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from latchkey.http.errors import Unauthorized
from latchkey.http.exchange import Exchange
from latchkey.http.request_kind import Transport
from latchkey.refusal import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The user and the session that a request proves, and what its access token says about them.

    `role`, `amr`, `authenticated_at` (seconds since the epoch) and `actor_id`, an administrator who acts for the user,
    are copies as old as the token; the database decides. `role` and `authenticated_at` are None in tokens of version
    0.2.
    """

    user_id: int
    session_id: UUID
    transport: Transport
    role: str | None
    amr: tuple[str, ...]
    authenticated_at: int | None
    actor_id: int | None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """The API key of a request, and the scopes that it has."""

    id: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticator:
    """One kind of proof that a request can carry.

    `applies` tells whether a request carries this proof. `find_principal` then returns the principal or raises one of
    `failures`, or for methods that may change something, one of `unsafe_failures`. `scheme` is the name of its security
    scheme in the OpenAPI document. `count`, for API keys only, counts a request for its key instead of its address;
    False: it brings no good key.
    """

    scheme: str
    applies: Callable[[Exchange], bool]
    find_principal: Callable[[Exchange], Awaitable[Principal | ApiKey]]
    failures: tuple[type[Refusal], ...]
    count: Callable[[Exchange], Awaitable[bool]] | None = None
    unsafe_failures: tuple[type[Refusal], ...] = ()


@dataclass(frozen=True, slots=True)
class Guard:
    """Admits a request to an endpoint if one of its authenticators, tried in order, finds a principal.

    `limit` counts a request without a good API key for its address, in place of the rate limit of all other endpoints.
    """

    authenticators: tuple[Authenticator, ...]
    limit: Callable[[Exchange, str], Awaitable[None]] | None = None

    async def find_principal(self, exchange: Exchange) -> Principal | ApiKey:
        """Returns the principal of the first authenticator that applies. Raises Unauthorized if none does."""
        for authenticator in self.authenticators:
            if authenticator.applies(exchange):
                return await authenticator.find_principal(exchange)
        raise Unauthorized

    async def count(self, exchange: Exchange) -> bool:
        """Counts a request for its API key, and tells whether it did. Otherwise its address counts."""
        for authenticator in self.authenticators:
            if authenticator.count is not None and await authenticator.count(exchange):
                return True
        return False

    @property
    def takes_keys(self) -> bool:
        """Tells whether the guard admits API keys."""
        return any(each.count is not None for each in self.authenticators)

    @property
    def takes_only_keys(self) -> bool:
        """Tells whether the guard admits API keys, and no cookies or bearer tokens."""
        return all(each.count is not None for each in self.authenticators)

    def failures(self, *, changes: bool) -> tuple[type[Refusal], ...]:
        """Lists the refusals that the guard can raise; `changes`: for a method that may change something."""
        cases = [case for each in self.authenticators for case in each.failures]
        if changes:
            cases += [case for each in self.authenticators for case in each.unsafe_failures]
        return (Unauthorized, *cases)
