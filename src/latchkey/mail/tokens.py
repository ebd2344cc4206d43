"""The token of a mail's link. It is derived, so it is stored nowhere and every attempt sends the same one."""

from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from latchkey.http.fields import given_text
from latchkey.keys import Mac, Secret

LinkToken = Annotated[
    str,
    PlainValidator(given_text, json_schema_input_type=Any),
    WithJsonSchema({"type": "string", "minLength": 1, "description": "from the link in the mail"}),
]
"""The field of a body that takes a link's token."""


class MailTokens:
    """Derives tokens from the refresh secret and an outbox row's nonce. An attacker needs both (ADR 7)."""

    def __init__(self, refresh_secret: Secret) -> None:
        self._mac = Mac(refresh_secret, "mail token")

    def derive(self, nonce: bytes) -> tuple[str, ...]:
        """Returns 32 bytes in hex for each secret, the current one first: the same for the same nonce."""
        return tuple(mac.hex() for mac in (self._mac.of(nonce), *self._mac.accepted(nonce)))
