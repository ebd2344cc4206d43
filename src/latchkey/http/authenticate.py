"""Authentication of requests: authenticators, each for one kind of proof, tried in order."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from latchkey.http.errors import Unauthorized
from latchkey.http.exchange import Exchange
from latchkey.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Principal:
    """The user and the session that a request proves."""

    user_id: int
    session_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticator:
    """One kind of proof that a request can carry.

    `applies` tells whether a request carries this proof. `find_principal` then returns the principal or raises one of
    `failures`. `checks_csrf`: browsers send this proof unasked, like cookies, so unsafe methods need a CSRF token.
    `scheme` is the name of its security scheme in the OpenAPI document.
    """

    scheme: str
    checks_csrf: bool
    applies: Callable[[Exchange], bool]
    find_principal: Callable[[Exchange], Awaitable[Principal]]
    failures: tuple[type[Refusal], ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """Admits a request to an endpoint if one of its authenticators, tried in order, finds a principal."""

    authenticators: tuple[Authenticator, ...]

    async def find_principal(self, exchange: Exchange) -> Principal:
        """Returns the principal of the first authenticator that applies. Raises Unauthorized if none does."""
        for authenticator in self.authenticators:
            if authenticator.applies(exchange):
                return await authenticator.find_principal(exchange)
        raise Unauthorized

    @property
    def failures(self) -> tuple[type[Refusal], ...]:
        """Lists the refusals that the guard can raise."""
        return (Unauthorized, *(case for each in self.authenticators for case in each.failures))
