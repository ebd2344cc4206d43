"""Who is asking: authenticators, each for one way to prove it, tried in order."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from latchkey.http.errors import Unauthorized
from latchkey.http.exchange import Exchange
from latchkey.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: the user and the session that a request proves."""

    user_id: int
    session_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticator:
    """One way for a request to prove who asks.

    `applies` says whether a request brings this kind of proof; `find_principal` then returns the principal or raises one
    of `failures`. `checks_csrf`: browsers send this proof unasked, as they do cookies, so that unsafe methods need a CSRF
    token. `scheme` is the name of its security scheme in the OpenAPI document.
    """

    scheme: str
    checks_csrf: bool
    applies: Callable[[Exchange], bool]
    find_principal: Callable[[Exchange], Awaitable[Principal]]
    failures: tuple[type[Refusal], ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may call an endpoint: whoever one of its authenticators, in this order, finds a principal for."""

    authenticators: tuple[Authenticator, ...]

    async def find_principal(self, exchange: Exchange) -> Principal:
        """The principal by the first authenticator that applies. Raises Unauthorized where none does."""
        for authenticator in self.authenticators:
            if authenticator.applies(exchange):
                return await authenticator.find_principal(exchange)
        raise Unauthorized

    @property
    def failures(self) -> tuple[type[Refusal], ...]:
        """What the guard can answer with."""
        return (Unauthorized, *(case for each in self.authenticators for case in each.failures))
