"""How the tokens of a new session reach its client."""

from dataclasses import dataclass

from latchkey.http.request_kind import Transport


@dataclass(frozen=True, slots=True)
class Carriage:
    """How a session's tokens reach its client. `remember`: a browser keeps the cookies when it closes."""

    transport: Transport
    remember: bool = True
