"""Why an installation signs access tokens with HS256, for the log and `latchkey doctor`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """The reason, and what changes it."""

    message: str
    advice: str


NOT_STARTED = Reason(
    "this installation had sessions before it had a signing key",
    "run latchkey keys init when all instances have this version; then other programs can verify tokens",
)
NO_ISSUER = Reason(
    "tokens that other programs verify name their issuer, and neither PUBLIC_URL nor TOKEN_ISSUER is set",
    "set PUBLIC_URL; a new installation then makes a key by itself, another one by latchkey keys init",
)
