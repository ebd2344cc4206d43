"""Forges tokens from a genuine one, as an attacker, another program or another time would make them."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

import httpx
from joserfc.jwk import ECKey

from latchkey.signing.keys import DeterministicES256
from latchkey.signing.ring import SigningKey
from tests.kit.answers import claims_of
from tests.kit.browser import Browser
from tests.kit.server import ACCESS_SECRET, REFRESH_SECRET
from tests.kit.signing_keys import read_key

HEADER = {"typ": "JWT", "alg": "HS256"}
LONG_AGO = 1_000_000_000
FAR_AHEAD = 9_000_000_000


@dataclass(frozen=True)
class Genuine:
    """A genuine token, and what signed it: the key that its header names, or the secret."""

    token: str
    secret: str
    key: SigningKey | None = None

    @property
    def claims(self) -> dict[str, Any]:
        """Returns its claims."""
        return claims_of(self.token)

    def signed(self, claims: Any) -> str:
        """Returns a token of any claims (a JSON value, or raw bytes), signed as the genuine one is."""
        if self.key is None:
            return signed(claims, self.secret)
        header = {"alg": self.key.alg, "kid": self.key.kid, "typ": "at+jwt"}
        unsigned = _unsigned_parts(header, claims)
        return f"{unsigned}.{base64url(DeterministicES256().sign(unsigned.encode(), cast(ECKey, self.key.key)))}"

    def changed(self, *, without: str = "", **claims: Any) -> str:
        """Returns the token with other claims, rightly signed."""
        return self.signed({k: v for k, v in (self.claims | claims).items() if k != without})


def genuine_access(browser: Browser) -> Genuine:
    """Returns the access token of a browser."""
    return Genuine(browser.cookies["accessToken"], ACCESS_SECRET, read_key(browser.server.dsn))


def genuine_refresh(browser: Browser) -> Genuine:
    """Returns the refresh token of a browser."""
    return Genuine(browser.cookies["refreshToken"], REFRESH_SECRET)


def base64url(raw: bytes) -> str:
    """Encodes as unpadded base64url."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(claims: Any, secret: str, *, header: Any = HEADER, digest: str = "sha256") -> str:
    """Returns a compact JWS of claims and header (JSON values, or raw bytes)."""
    unsigned = _unsigned_parts(header, claims)
    return f"{unsigned}.{base64url(hmac.new(secret.encode(), unsigned.encode(), getattr(hashlib, digest)).digest())}"


def _unsigned_parts(header: Any, claims: Any) -> str:
    return ".".join(base64url(part if isinstance(part, bytes) else _compact(part)) for part in (header, claims))


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


Forge = Callable[[Genuine], str]


def _with_header(header: Any, *, digest: str = "sha256", secret: str | None = None) -> Forge:
    return lambda genuine: signed(
        genuine.claims, genuine.secret if secret is None else secret, header=header, digest=digest
    )


def _with_claims(claims: Any) -> Forge:
    return lambda genuine: genuine.signed(claims)


def _with(**claims: Any) -> Forge:
    return lambda genuine: genuine.changed(**claims)


def _without(name: str) -> Forge:
    return lambda genuine: genuine.changed(without=name)


def _unsigned(algorithm: str, signature: str) -> Forge:
    return lambda genuine: ".".join([base64url(_compact({"alg": algorithm})), genuine.token.split(".")[1], signature])


def _respelt(respell: Callable[[list[str]], Iterable[str]]) -> Forge:
    return lambda genuine: ".".join(respell(genuine.token.split(".")))


def _sloppy(part: str) -> str:
    """Returns another spelling of the same bytes: the unused bits of the last character are set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + alphabet[alphabet.index(part[-1]) | 1]


ALGORITHMS: dict[str, Forge] = {
    **{f"alg {name} unsigned": _unsigned(name, "") for name in ("none", "None", "NONE", "nOnE")},
    **{f"alg {name} junk": _unsigned(name, "AAAA") for name in ("none", "None", "nOnE", "HS256")},
    "alg none, signed": _with_header({"alg": "none"}),
    "HS384": _with_header({"alg": "HS384"}, digest="sha384"),
    "HS512": _with_header({"alg": "HS512"}, digest="sha512"),
    "HS384 said, HS256 done": _with_header({"alg": "HS384"}),
    "hs256": _with_header({"alg": "hs256"}),
    "RS256": _with_header({"alg": "RS256"}),
    "ES256": _with_header({"alg": "ES256"}),
    "no alg": _with_header({"typ": "JWT"}),
    "alg null": _with_header({"alg": None}),
    "alg list": _with_header({"alg": ["HS256"]}),
    "alg object": _with_header({"alg": {"HS256": 1}}),
    "header list": _with_header([]),
    "header list of names": _with_header(["alg", "kid"]),
    "header text": _with_header("HS256"),
    "header text of names": _with_header("alg kid"),
    "header null": _with_header(None),
    "header no JSON": _with_header(b"{"),
    "header no UTF-8": _with_header(b"\xff\xfe"),
}

KEYS: dict[str, Forge] = {
    "empty key": _with_header(HEADER, secret=""),
    "guessed key": _with_header(HEADER, secret="secret"),  # noqa: S106 a guess
    "kid path": _with_header(HEADER | {"kid": "../../../../dev/null"}, secret=""),
    "kid SQL": _with_header(HEADER | {"kid": "x' UNION SELECT '"}, secret=""),
    "kid URL": _with_header(HEADER | {"kid": "http://127.0.0.1:9/key"}, secret="key"),  # noqa: S106 a guess
    "jwk": _with_header(HEADER | {"jwk": {"kty": "oct", "k": base64url(b"mine" * 8)}}, secret="mine" * 8),
    "x5c": _with_header(HEADER | {"x5c": ["MIIB"]}, secret=""),
    "crit unknown": _with_header(HEADER | {"crit": ["x"], "x": 1}),
    "crit absent": _with_header(HEADER | {"crit": ["x"]}),
    "crit empty": _with_header(HEADER | {"crit": []}),
    "crit known": _with_header(HEADER | {"crit": ["kid"], "kid": "a"}),
    "crit alg": _with_header(HEADER | {"crit": ["alg"]}),
    "crit text": _with_header(HEADER | {"crit": "x"}),
    "crit exp": _with_header(HEADER | {"crit": ["exp"], "exp": FAR_AHEAD}),
    "b64": _with_header(HEADER | {"crit": ["b64"], "b64": False}),
}

TIMES: dict[str, Forge] = {
    **{
        f"{claim} {value!r}": _with(**{claim: value})
        for claim in ("exp", "iat", "nbf")
        for value in ("9000000000", -1, 0, True, None, 9e9, [], {}, 2**63, 10**40)
    },
    **{
        f"{claim} 1e400": (
            lambda genuine, claim=claim: genuine.signed(
                json.dumps(genuine.claims | {claim: 12321}).replace("12321", "1e400").encode()
            )
        )
        for claim in ("exp", "iat")
    },
    "no exp": _without("exp"),
    "no iat": _without("iat"),
    "iat ahead": _with(iat=FAR_AHEAD),
    "nbf ahead": _with(nbf=FAR_AHEAD),
    "iat ahead, long past exp": _with(iat=FAR_AHEAD, exp=LONG_AGO),
}

CLAIMS: dict[str, Forge] = {
    **{f"no {claim}": _without(claim) for claim in ("id", "sub", "sid", "jti", "typ")},
    **{f"id {value!r}": _with(id=value) for value in ("1", True, None, 0, -1, 1.0, 2**31, 10**30, [1])},
    **{f"sub {value!r}": _with(sub=value) for value in (None, "", 1, "0", "1e0", [])},
    **{f"jti {value!r}": _with(jti=value) for value in (None, "", 7, [])},
    **{f"typ {value!r}": _with(typ=value) for value in (None, "", "Access", "ACCESS", "id", 1, ["access", "refresh"])},
    **{f"sid {value!r}": _with(sid=value) for value in (None, "", 1, "x", [], "0" * 99)},
    "sid upper case": lambda genuine: genuine.changed(sid=genuine.claims["sid"].upper()),
    "sid without hyphens": lambda genuine: genuine.changed(sid=genuine.claims["sid"].replace("-", "")),
    "sid braced": lambda genuine: genuine.changed(sid="{" + genuine.claims["sid"] + "}"),
    "claims list": _with_claims([]),
    "claims text": _with_claims("x"),
    "claims null": _with_claims(None),
    "claims no JSON": _with_claims(b"{"),
    "claims no UTF-8": _with_claims(b"\xff"),
    "claims bomb": _with_claims(b"[" * 2_500),
    "claims empty": _with_claims({}),
}

SPELLINGS: dict[str, Forge] = {
    "padded": _respelt(lambda parts: [part + "=" * (-len(part) % 4) for part in parts]),
    "padded signature": _respelt(lambda parts: [*parts[:2], parts[2] + "="]),
    "unused bits": _respelt(lambda parts: [*parts[:2], _sloppy(parts[2])]),
    "standard alphabet": lambda genuine: genuine.token[:-1] + "+",
    "quoted": lambda genuine: f'"{genuine.token}"',
    "space inside": lambda genuine: genuine.token.replace(".", ". "),
    "two parts": _respelt(lambda parts: parts[:2]),
    "four parts": _respelt(lambda parts: [*parts, "AAAA"]),
    "five parts": _respelt(lambda parts: [*parts, "AAAA", "AAAA"]),
    "no header": _respelt(lambda parts: ["", *parts[1:]]),
    "no claims": _respelt(lambda parts: [parts[0], "", parts[2]]),
    "swapped": _respelt(lambda parts: [parts[1], parts[0], parts[2]]),
    "cut": lambda genuine: genuine.token[:-1],
    "grown": lambda genuine: genuine.token + "A",
    "dots": lambda _: "..",
    "null character": lambda genuine: genuine.token.replace(".", "%00."),
    "too long": lambda genuine: genuine.changed(pad="x" * 4_000),
}

FORGERIES: dict[str, Forge] = ALGORITHMS | KEYS | TIMES | CLAIMS | SPELLINGS
"""Tokens that every reader must refuse. Each one has a single flaw."""


def unknown_session(genuine: Genuine) -> str:
    """Returns a correctly signed token of a session that never existed."""
    return genuine.changed(sid=str(uuid4()))


def refresh_with(browser: Browser, token: str) -> httpx.Response:
    """Refreshes with exactly that refresh token."""
    return browser.post("/auth/refresh-token", cookies={"_csrf": browser.cookies["_csrf"], "refreshToken": token})
