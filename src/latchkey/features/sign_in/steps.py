"""Steps: the conditions that a sign-in meets after its proof, in order. Features add theirs in app.py."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from latchkey.refusal import Refusal
from latchkey.users.user import User


@dataclass(frozen=True, slots=True)
class Candidate:
    """A user whose proof was correct, whether their address is verified, and the generation of their credentials."""

    user: User
    email_verified: bool
    generation: int


@dataclass(frozen=True, slots=True)
class Step:
    """A condition of every sign-in. `refusal` answers a candidate who fails it; `reason` goes into the audit row."""

    is_met: Callable[[Candidate], Awaitable[bool]]
    refusal: type[Refusal]
    reason: str
