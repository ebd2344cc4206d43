"""/.well-known/jwks.json: the public keys with which other programs verify access tokens."""

from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import to_json

from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.exchange import answer_header
from latchkey.http.stored import StoredContent
from latchkey.signing.ring import KeyRing

PATH = "/.well-known/jwks.json"
MAX_AGE_SECONDS = 300
HEADERS = (
    answer_header("Cache-Control", f"public, max-age={MAX_AGE_SECONDS}"),
    answer_header("Cross-Origin-Resource-Policy", "cross-origin"),
)


class Jwk(BaseModel):
    """A public key (RFC 7517). `x` and `y`, or `n` and `e`, are its numbers in base64url."""

    kid: str
    kty: str = Field(examples=["EC"])
    alg: str = Field(examples=["ES256"])
    use: str = Field(examples=["sig"])
    crv: str | None = Field(None, examples=["P-256"])
    x: str | None = None
    y: str | None = None
    n: str | None = None
    e: str | None = None


class JwkSet(BaseModel):
    """A JWK set (RFC 7517), without the envelope of other answers."""

    keys: list[Jwk]


class PublishedKeys:
    """The document, made once for each set of keys."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._shown: list[dict[str, Any]] = []
        self._stored = self._made()

    def document(self) -> StoredContent:
        """Returns the document of the keys that verify now or will. Raises KeysUnknown before they are read."""
        keys = self._ring.public_jwks()
        if keys != self._shown:
            self._shown = keys
            self._stored = self._made()
        return self._stored

    def _made(self) -> StoredContent:
        return StoredContent(to_json({"keys": self._shown}), "application/json; charset=utf-8", HEADERS)


def jwks_endpoint(ring: KeyRing) -> Endpoint[Any]:
    """Returns the endpoint. It asks the memory of this instance, and no database."""
    published = PublishedKeys(ring)

    async def jwks(call: Call[None]) -> Reply:
        return Reply(response=await published.document().response(call.exchange))

    return Endpoint(
        method="GET",
        path=PATH,
        handler=jwks,
        tag="Keys",
        summary="Get the keys that verify access tokens",
        description=(
            "A JWK set (RFC 7517) for programs that verify access tokens themselves. It has the next key an hour before"
            " that one signs. It is empty while access tokens are signed with a secret. Caches may keep it for five"
            " minutes; `If-None-Match` is answered with 304."
        ),
        success=(Success(bare=JwkSet),),
        counted=False,
        any_origin=True,
    )
