"""Which access tokens are accepted (RFC 8725)."""

import json
import random
import time
from typing import Any

import pytest
from joserfc.util import urlsafe_b64encode
from latchkey_client import InvalidToken, Latchkey, Refused, TokenExpired
from latchkey_client.tokens import Token

from tests.kit.issuer import Issuer
from tests.kit.signing import ALGORITHMS, claims_of, new_key, sign, sign_text, sign_with_secret
from tests.kit.waiting import eventually

NOW = int(time.time())


@pytest.fixture
def auth(issuer: Issuer) -> Latchkey:
    return Latchkey(issuer.url)


def test_a_token_names_its_user(issuer: Issuer, auth: Latchkey) -> None:
    sid = "3f0c2c9e-6d0b-4d0f-9d8b-0c1f2b3a4d5e"
    act = {"sub": "1"}
    user = auth.verify(
        issuer.token(sid=sid, role="admin", amr=["pwd", "mfa"], auth_time=NOW, act=act, app={"plan": "x"})
    )
    assert (user.id, user.session_id, user.role, user.amr) == (7, sid, "admin", frozenset({"pwd", "mfa"}))
    assert (user.auth_time, user.actor_id, user.claims["app"]) == (NOW, 1, {"plan": "x"})


def test_what_a_token_does_not_say_is_none(issuer: Issuer, auth: Latchkey) -> None:
    user = auth.verify(issuer.token(role=..., amr=..., auth_time=...))
    assert (user.role, user.amr, user.auth_time, user.actor_id) == (None, frozenset(), None, None)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_each_algorithm_of_a_key_is_accepted(issuer: Issuer, auth: Latchkey, alg: str) -> None:
    issuer.keys = [new_key(alg)]
    assert auth.verify(issuer.token()).id == 7


def test_the_audience_may_be_one_of_several(issuer: Issuer, auth: Latchkey) -> None:
    assert auth.verify(issuer.token(aud=["https://other.example.com", issuer.url])).id == 7


def test_an_audience_of_its_own(issuer: Issuer) -> None:
    auth = Latchkey(issuer.url, audience="notes")
    assert auth.verify(issuer.token(aud="notes")).id == 7
    with pytest.raises(InvalidToken, match="aud"):
        auth.verify(issuer.token())


def test_the_callers_of_one_token_do_not_share_its_claims(issuer: Issuer, auth: Latchkey) -> None:
    token = issuer.token()
    auth.verify(token).claims["amr"].append("mfa")
    assert auth.verify(token).claims["amr"] == ["pwd"]


def test_an_expired_token_is_refused_without_leeway(issuer: Issuer) -> None:
    token = Token.parse(issuer.token(iat=NOW - 300, exp=NOW))
    assert token.user(issuer=issuer.url, audience=issuer.url, now=NOW - 0.01).id == 7
    with pytest.raises(TokenExpired):
        token.user(issuer=issuer.url, audience=issuer.url, now=NOW)


def test_a_remembered_token_expires(issuer: Issuer, auth: Latchkey) -> None:
    auth.verify(issuer.token())
    token = issuer.token(exp=int(time.time()) + 5)
    assert auth.verify(token).id == 7

    def has_expired() -> bool:
        try:
            auth.verify(token)
        except TokenExpired:
            return True
        return False

    eventually(has_expired, "the token expires")


def test_a_clock_that_is_half_a_minute_slow_does_no_harm(issuer: Issuer, auth: Latchkey) -> None:
    assert auth.verify(issuer.token(iat=int(time.time()) + 25)).id == 7


WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example.com"},
    "no issuer": {"iss": ...},
    "a list of issuers": {"iss": ["https://accounts.example.com"]},
    "another audience": {"aud": "https://other.example.com"},
    "no audience": {"aud": ...},
    "an empty list of audiences": {"aud": []},
    "an OAuth client's token": {"client_id": "app"},
    "an OAuth client's token, null": {"client_id": None},
    "a refresh token": {"typ": "refresh"},
    "no kind": {"typ": ...},
    "no user": {"id": ...},
    "a user in text": {"id": "7"},
    "a user that is true": {"id": True, "sub": "True"},
    "a fractional user": {"id": 7.0, "sub": "7.0"},
    "user zero": {"id": 0, "sub": "0"},
    "a user of another subject": {"sub": "8"},
    "a numeric subject": {"sub": 7},
    "no subject": {"sub": ...},
    "no session": {"sid": ...},
    "a session that is no UUID": {"sid": "1"},
    "a session in another spelling": {"sid": "3F0C2C9E-6D0B-4D0F-9D8B-0C1F2B3A4D5E"},
    "a session that is a list": {"sid": []},
    "no id of its own": {"jti": ...},
    "an empty id of its own": {"jti": ""},
    "no end": {"exp": ...},
    "an end in text": {"exp": str(NOW + 300)},
    "a fractional end": {"exp": NOW + 300.5},
    "an endless end": {"exp": float("inf")},
    "an end that is no number": {"exp": float("nan")},
    "an end that is true": {"exp": True},
    "an end past all clocks": {"exp": 2**63},
    "no beginning": {"iat": ...},
    "a beginning in the future": {"iat": NOW + 1_000_000},
    "not valid yet": {"nbf": NOW + 1_000_000},
    "malformed nbf": {"nbf": "1"},
    "a role that is no text": {"role": ["admin"]},
    "methods that are text": {"amr": "mfa"},
    "methods that are no text": {"amr": [1]},
    "a malformed time of the sign-in": {"auth_time": "now"},
    "an actor without a subject": {"act": {}},
    "an actor that is no object": {"act": "1"},
    "an actor that is null": {"act": None},
    "an actor that is no number": {"act": {"sub": "ann"}},
}


@pytest.mark.parametrize("claims", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS.keys())
def test_wrong_claims_are_refused(issuer: Issuer, auth: Latchkey, claims: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        auth.verify(issuer.token(**claims))


WRONG_HEADERS: dict[str, dict[str, Any]] = {
    "no kid": {"kid": ...},
    "an unknown kid": {"kid": "unknown"},
    "a kid that is a path": {"kid": "../../../../dev/null"},
    "a kid that is a URL": {"kid": "https://evil.example.com/key"},
    "a kid that is SQL": {"kid": "x' UNION SELECT 'secret"},
    "a kid that is a number": {"kid": 0},
    "a kid that is null": {"kid": None},
    "a kid that is a list": {"kid": ["a"]},
    "a kid that is an object": {"kid": {"a": "b"}},
    "an empty kid": {"kid": ""},
    "no algorithm": {"alg": ...},
    "alg none": {"alg": "none"},
    "alg None": {"alg": "None"},
    "HS256": {"alg": "HS256"},
    "another of its family": {"alg": "ES384"},
    "its family in lower case": {"alg": "es256"},
    "an algorithm that is a list": {"alg": ["ES256"]},
    "no type": {"typ": ...},
    "the type JWT": {"typ": "JWT"},
    "an ID token's type": {"typ": "id_token+jwt"},
    "the type in capitals": {"typ": "AT+JWT"},
    "critical extensions": {"crit": ["exp"]},
    "critical extensions, empty": {"crit": []},
    "unencoded payload": {"crit": ["b64"], "b64": False},
}


@pytest.mark.parametrize("header", WRONG_HEADERS.values(), ids=WRONG_HEADERS.keys())
def test_wrong_headers_are_refused(issuer: Issuer, auth: Latchkey, header: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        auth.verify(issuer.token(header=header))


@pytest.mark.parametrize("member", ["jku", "jwk", "x5u", "x5c"])
def test_a_token_cannot_bring_its_own_key(issuer: Issuer, auth: Latchkey, member: str) -> None:
    """The members have no effect: a good token stays good, a forged one refused, and nothing is fetched."""
    forger = new_key(kid=issuer.keys[0].kid)
    value = {"jwk": forger.public, "x5c": ["MIIB"]}.get(member, f"{issuer.url}/evil.json")
    assert auth.verify(issuer.token(header={member: value})).id == 7
    with pytest.raises(InvalidToken, match="signature"):
        auth.verify(issuer.token(forger, header={member: value}))
    assert issuer.count("/evil.json") == 0


def test_another_key_of_the_same_kid_is_refused(issuer: Issuer, auth: Latchkey) -> None:
    with pytest.raises(InvalidToken, match="signature"):
        auth.verify(issuer.token(new_key(kid=issuer.keys[0].kid)))


def test_a_key_verifies_only_under_its_own_kid(issuer: Issuer, auth: Latchkey) -> None:
    issuer.keys = [new_key(), new_key()]
    assert auth.verify(issuer.token(issuer.keys[1])).id == 7
    with pytest.raises(InvalidToken, match="signature"):
        auth.verify(issuer.token(issuer.keys[1], header={"kid": issuer.keys[0].kid}))


def test_the_public_key_is_no_secret_for_hs256(issuer: Issuer, auth: Latchkey) -> None:
    key = issuer.keys[0]
    payload = json.dumps(claims_of(issuer.url)).encode()
    header = json.dumps({"alg": "HS256", "kid": key.kid, "typ": "at+jwt"}).encode()
    for secret in (key.key.as_pem(private=False), json.dumps(key.public).encode(), key.public["x"].encode()):
        with pytest.raises(InvalidToken, match="alg"):
            auth.verify(sign_with_secret(secret, header, payload))


def test_an_unsigned_token_is_refused(issuer: Issuer, auth: Latchkey) -> None:
    signed, _, _ = issuer.token(header={"alg": "none"}).rpartition(".")
    for token in (f"{signed}.", signed, f"{signed}.AA"):
        with pytest.raises(InvalidToken):
            auth.verify(token)


@pytest.mark.parametrize("size", [0, 1, 63, 65, 128])
def test_signatures_of_other_lengths_are_refused(issuer: Issuer, auth: Latchkey, size: int) -> None:
    signed, _, _ = issuer.token().rpartition(".")
    for fill in (b"\0", b"\xff"):
        with pytest.raises(InvalidToken):
            auth.verify(f"{signed}.{urlsafe_b64encode(fill * size).decode()}")
    # Zeros for both numbers passed in CVE-2022-21449.
    with pytest.raises(InvalidToken):
        auth.verify(f"{signed}.{urlsafe_b64encode(bytes(64)).decode()}")


def test_a_member_that_comes_twice_counts_once(issuer: Issuer, auth: Latchkey) -> None:
    """The last one counts, here and for the choice of the algorithm alike."""
    key = issuer.keys[0]
    payload = json.dumps(claims_of(issuer.url)).encode()
    bad_last = f'{{"alg":"ES256","kid":"{key.kid}","typ":"at+jwt","alg":"none"}}'
    with pytest.raises(InvalidToken, match="alg"):
        auth.verify(sign_text(key, bad_last.encode(), payload))
    other = f'{{"alg":"ES256","kid":"{key.kid}","typ":"at+jwt","kid":"other"}}'
    with pytest.raises(InvalidToken, match="kid"):
        auth.verify(sign_text(key, other.encode(), payload))


NO_JSON_OBJECT = [b"", b"null", b"[]", b'"text"', b"1", b"{", b"\xff\xfe", b"{'a':1}", b'{"a":' * 700, b"[" * 2000]


@pytest.mark.parametrize("text", NO_JSON_OBJECT, ids=[repr(text[:12]) for text in NO_JSON_OBJECT])
def test_what_is_no_json_object_is_refused(issuer: Issuer, auth: Latchkey, text: bytes) -> None:
    with pytest.raises(InvalidToken):
        auth.verify(sign(issuer.keys[0], text))
    with pytest.raises(InvalidToken):
        auth.verify(sign_text(issuer.keys[0], text, json.dumps(claims_of(issuer.url)).encode()))


MALFORMED = [
    "",
    ".",
    "..",
    "...",
    "a.b",
    "a.b.c.d",
    "a.b.c",
    "null",
    "a b.c.d",
    "é.é.é",
    "a\n.b.c",
    "A=.B=.C=",
    "x" * 5000,
]


@pytest.mark.parametrize("text", MALFORMED, ids=[text[:12] for text in MALFORMED])
def test_what_has_not_the_form_of_a_token_is_refused_without_a_fetch(issuer: Issuer, auth: Latchkey, text: str) -> None:
    with pytest.raises(InvalidToken):
        auth.verify(text)
    assert issuer.jwks_requests == 0


def test_a_token_with_a_second_spelling_is_refused(issuer: Issuer, auth: Latchkey) -> None:
    """The unused bits of the last character are zero, so one token has one spelling."""
    token = issuer.token()
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = token[:-1] + last[last.index(token[-1]) + 1]
    assert auth.verify(token).id == 7
    with pytest.raises(InvalidToken):
        auth.verify(twin)
    with pytest.raises(InvalidToken):
        auth.verify(token + "=")


def test_huge_tokens_are_refused_before_they_are_read(issuer: Issuer, auth: Latchkey) -> None:
    for size in (4_000, 100_000, 5_000_000):
        with pytest.raises(InvalidToken, match="form"):
            auth.verify(issuer.token(padding="x" * size))


def test_no_change_of_a_token_raises_anything_but_a_refusal(issuer: Issuer, auth: Latchkey) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    token = issuer.token()
    for _ in range(2_000):
        changed = list(token)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(changed))
            changed[place] = chance.choice(["", ".", "A", "_", "\0", "☃", changed[place] * 2])
        if (text := "".join(changed)) != token:
            try:
                auth.verify(text)
            except Refused:
                continue
            pytest.fail(f"accepted {text!r} (seed {seed})")


def test_arguments_that_would_open_or_close_too_much_are_refused(auth: Latchkey) -> None:
    with pytest.raises(TypeError, match="amr"):
        auth.fastapi(amr="mfa")
    with pytest.raises(ValueError, match="max_age"):
        auth.flask(max_age=-1)
    with pytest.raises(TypeError, match="origins"):
        Latchkey("https://accounts.example.com", origins="https://app.example.com")
    for origin in ("*", "app.example.com", "https://app.example.com/", "https://*.example.com", "null", ""):
        with pytest.raises(ValueError, match="origin"):
            Latchkey("https://accounts.example.com", origins=[origin])
