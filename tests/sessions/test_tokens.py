"""Properties of the reader and maker of tokens: what it makes it reads, and nothing else."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey

from latchkey.http.request_kind import Transport
from latchkey.keys import Secret
from latchkey.sessions.claims import (
    CLOCK_SKEW_SECONDS,
    AccessClaims,
    Claims,
    TokenExpired,
    TokenKind,
    TokenRefused,
)
from latchkey.sessions.refresh_token import RefreshToken
from latchkey.sessions.tokens import Lifetimes, Parties, TokenPair, Tokens, token_hash
from latchkey.signing.keys import Algorithm, SigningRegistry, generate
from latchkey.signing.ring import SigningKey
from tests.kit.signing_keys import AS_USER, FixedRing

ACCESS_SECRET = "access-secret-of-these-properties-0123456789"
REFRESH_SECRET = "refresh-secret-of-these-properties-0123456789"
SECRETS = {TokenKind.ACCESS: ACCESS_SECRET, TokenKind.REFRESH: REFRESH_SECRET}
ISSUER = "https://accounts.example.com"
SESSION = UUID(int=7)
NOW = 1_800_000_000
NEVER = float(2**40)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
LIFETIME_SECONDS = {TokenKind.ACCESS: 300, TokenKind.REFRESH: 86_400}


@dataclass(frozen=True)
class Sort:
    """A kind of token, and the key that signs it; None: a secret does."""

    kind: TokenKind
    key: SigningKey | None = field(default=None, repr=False)

    def tokens_at(self, now: float, lifetimes: Lifetimes | None = None) -> Tokens:
        """Returns the tokens of a server whose clock stands still."""
        parties = Parties(ISSUER, ISSUER)
        return Tokens(
            Secret(ACCESS_SECRET),
            Secret(REFRESH_SECRET),
            FixedRing(self.key),
            lambda: now,
            parties=parties,
            lifetimes=lifetimes,
        )

    def mint(self, now: float = NOW, user_id: int = 7, session: UUID = SESSION, cap: float = NEVER) -> str:
        """Returns a genuine token."""
        return of_kind(self.kind, minted(self.tokens_at(now), user_id, session, cap))

    def read(self, token: str, now: float = NOW) -> Claims:
        """Reads a token of this sort."""
        return self.tokens_at(now).read(self.kind, token)

    def sign(self, claims: Any) -> str:
        """Returns any claims, rightly signed."""
        if self.key is None:
            return signed(self.kind, {"alg": "HS256"}, claims)
        raw = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        header = {"alg": self.key.alg, "kid": self.key.kid, "typ": "at+jwt"}
        return jws.serialize_compact(header, raw, self.key.key, registry=SigningRegistry(algorithms=[self.key.alg]))


def key_of(algorithm: Algorithm) -> SigningKey:
    """Returns a new key."""
    key = generate(algorithm)
    return SigningKey(key.thumbprint(), algorithm.value, key)


BY_SECRET = Sort(TokenKind.ACCESS)
BY_KEY = Sort(TokenKind.ACCESS, key_of(Algorithm.ES256))
REFRESH = Sort(TokenKind.REFRESH)
SORTS = [BY_SECRET, BY_KEY, Sort(TokenKind.ACCESS, key_of(Algorithm.EDDSA)), REFRESH]

sorts = st.sampled_from(SORTS)
kinds = st.sampled_from(TokenKind)
lifetimes = st.builds(Lifetimes, st.integers(60, 3_600), st.integers(1, 720).map(lambda hours: hours * 3_600))
user_ids = st.integers(1, 2**31 - 1)
times = st.floats(1, 2**40, allow_nan=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def minted(tokens: Tokens, user_id: int, session: UUID, cap: float) -> TokenPair:
    """Returns the first pair of a browser's session."""
    first = tokens.first(user_id, session, transport=Transport.COOKIE, remember=True, not_after=cap)
    return tokens.pair(first, AS_USER, tokens.signer())


def of_kind(kind: TokenKind, pair: TokenPair) -> str:
    """The access token of a pair, or its refresh token."""
    return pair.access if kind is TokenKind.ACCESS else pair.refresh.token


def part(value: Any) -> str:
    """JSON in unpadded base64url; bytes are taken as they are."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(kind: TokenKind, header: Any, claims: Any) -> str:
    """Any header and claims, rightly signed."""
    signing_input = f"{part(header)}.{part(claims)}"
    return f"{signing_input}.{part(hmac.digest(SECRETS[kind].encode(), signing_input.encode(), sha256))}"


def payload(token: str) -> dict[str, Any]:
    """What a token says, unverified."""
    text = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return claims


@given(sorts, user_ids, st.uuids(), times, times)
def test_what_is_minted_is_read(sort: Sort, user_id: int, session: UUID, now: float, cap: float) -> None:
    """Round trip at any time: the same user and session, the lifetime of its kind, and never past the cap."""
    assume(cap > now + 1)
    token = sort.mint(now, user_id, session, cap)
    expires_at = min(int(now) + LIFETIME_SECONDS[sort.kind], int(cap))
    assert sort.read(token, now) == claims_of(sort, token, user_id, session, int(now), expires_at)


def claims_of(sort: Sort, token: str, user_id: int, session: UUID, issued_at: int, expires_at: int) -> Claims:
    """Returns what a first token of a browser's session says."""
    access = AS_USER if sort.kind is TokenKind.ACCESS else None
    return Claims(
        *(user_id, session, payload(token)["jti"], issued_at, expires_at, Transport.COOKIE),
        access=access,
        has_key=sort.key is not None,
    )


@given(sorts, st.floats(0, 200_000, allow_nan=False))
def test_it_is_good_until_it_expires_and_no_longer(sort: Sort, later: float) -> None:
    """No leeway on exp: one moment it is read, the next it is expired, and then still says whose it was."""
    token = sort.mint()
    if later < LIFETIME_SECONDS[sort.kind]:
        assert sort.read(token, NOW + later).user_id == 7
        return
    with pytest.raises(TokenExpired) as expired:
        sort.read(token, NOW + later)
    expires_at = NOW + LIFETIME_SECONDS[sort.kind]
    assert expired.value.claims == claims_of(sort, token, 7, UUID(int=7), NOW, expires_at)


@given(sorts, st.floats(0, 200_000, allow_nan=False))
def test_it_is_refused_before_its_time(sort: Sort, sooner: float) -> None:
    """Tolerates a clock that is ahead by up to 30 s, and no more."""
    token = sort.mint()
    if sooner <= CLOCK_SKEW_SECONDS:
        assert sort.read(token, NOW - sooner).user_id == 7
        return
    with pytest.raises(TokenRefused):
        sort.read(token, NOW - sooner)


@given(sorts, st.data())
def test_any_change_of_one_character_is_refused(sort: Sort, data: st.DataObject) -> None:
    """Every character counts, in every part: changed, left out or put in."""
    token = sort.mint()
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(ALPHABET + ".=+/ \n\x00é"))
    changed = data.draw(
        st.sampled_from(
            [token[:at] + other + token[at + 1 :], token[:at] + other + token[at:], token[:at] + token[at + 1 :]]
        )
    )
    assume(changed != token)
    with pytest.raises(TokenRefused):
        sort.read(changed)


@given(sorts, st.text() | st.text(alphabet=ALPHABET + ".", max_size=200))
def test_text_is_refused(sort: Sort, text: str) -> None:
    """Any text in a cookie is refused, and never an error of another kind."""
    for read in (sort.read, sort.tokens_at(NOW).read_original):
        with pytest.raises(TokenRefused):
            read(text)


@pytest.mark.parametrize("access", SORTS[:3])
def test_neither_kind_passes_for_the_other(access: Sort) -> None:
    """Each has its secret or key, and its name."""
    for sort, other in ((access, REFRESH), (REFRESH, access)):
        with pytest.raises(TokenRefused):
            sort.read(other.mint())
        with pytest.raises(TokenRefused):
            sort.read(sort.sign(payload(other.mint())))


def test_a_key_verifies_only_its_own_kind_of_token() -> None:
    """No algorithm but the key's, no secret that anybody can read, no type but that of access tokens."""
    key = BY_KEY.key
    assert key is not None
    claims = payload(BY_KEY.mint())
    right: dict[str, Any] = {"alg": "ES256", "kid": key.kid, "typ": "at+jwt"}
    public = json.dumps(key.key.as_dict(private=False)).encode()
    for forged, secret in (
        (right | {"alg": "HS256"}, public),
        (right | {"alg": "HS256"}, cast(ECKey, key.key).as_pem(private=False)),
        (right | {"alg": "HS256"}, ACCESS_SECRET.encode()),
        (right | {"alg": "none"}, b""),
    ):
        unsigned = f"{part(forged)}.{part(claims)}"
        with pytest.raises(TokenRefused):
            BY_KEY.read(f"{unsigned}.{part(hmac.digest(secret, unsigned.encode(), sha256))}")
    registry = SigningRegistry(algorithms=["ES256"])
    for header in (
        *(right | {"typ": typ} for typ in ("JWT", "jwt", "at+JWT", None, 1)),
        *({name: value for name, value in right.items() if name != without} for without in ("typ", "kid")),
        *(right | {"kid": kid} for kid in ("", "../key", "x", None, 1, ["a"])),
    ):
        try:
            token = jws.serialize_compact(header, json.dumps(claims).encode(), key.key, registry=registry)
        except Exception:  # noqa: BLE001, S112 joserfc makes no such header, so no token has it
            continue
        with pytest.raises(TokenRefused):
            BY_KEY.read(token)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"iss": value} for value in ("https://other.example.com", ISSUER + "/", None, 1, [ISSUER])),
        *({"aud": value} for value in ("https://other.example.com", None, [], 1, ["a", "b"], {ISSUER: 1})),
        {"client_id": "an-app"},
    ],
)
def test_a_token_for_others_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        BY_KEY.read(BY_KEY.sign(payload(BY_KEY.mint()) | wrong))
    both = BY_KEY.sign(payload(BY_KEY.mint()) | {"aud": ["https://app.example.com", ISSUER]})
    assert BY_KEY.read(both).user_id == 7


def test_after_the_change_to_keys_a_token_by_the_secret_has_expired() -> None:
    """Its client refreshes and gets one by the key; nobody is signed out."""
    with pytest.raises(TokenExpired) as expired:
        BY_KEY.read(BY_SECRET.mint())
    assert expired.value.claims.user_id == 7
    with pytest.raises(TokenRefused):
        BY_KEY.read(BY_SECRET.mint()[:-4] + "AAAA")


@given(
    st.sampled_from(Transport),
    st.booleans(),
    st.sampled_from(["user", "admin"]),
    st.lists(st.text(max_size=5), max_size=3),
    st.none() | st.integers(1, NOW),
    st.none() | user_ids,
)
def test_what_a_token_says_is_read(
    transport: Transport, remember: bool, role: str, amr: list[str], at: int | None, actor_id: int | None
) -> None:
    """All claims, of both kinds."""
    said = AccessClaims(role, tuple(amr), at, actor_id)
    tokens = BY_KEY.tokens_at(NOW)
    refresh = tokens.first(7, UUID(int=7), transport=transport, remember=remember, not_after=NEVER)
    pair = tokens.pair(refresh, said, tokens.signer())
    access, kept = tokens.read(TokenKind.ACCESS, pair.access), tokens.read(TokenKind.REFRESH, refresh.token)
    assert access.access == said
    assert (access.transport, kept.transport, kept.remember) == (transport, transport, remember)
    native = tokens.successor(kept)
    assert (native.transport, native.remember) == (transport, remember)
    assert native.expires_at - NOW == (86_400 if transport is Transport.COOKIE else 30 * 86_400)


def test_what_apps_add_goes_out() -> None:
    tokens = BY_KEY.tokens_at(NOW)
    refresh = tokens.first(7, UUID(int=7), transport=Transport.COOKIE, remember=True, not_after=NEVER)
    claims = payload(
        tokens.pair(refresh, AccessClaims("user", ("pwd",), NOW, 9, {"plan": "pro"}), tokens.signer()).access
    )
    assert (claims["app"], claims["act"]) == ({"plan": "pro"}, {"sub": "9"})
    assert claims["iss"] == claims["aud"] == ISSUER


@given(
    kinds,
    json_values | st.dictionaries(st.sampled_from(["alg", "typ", "kid", "jwk", "crit", "b64", "zip"]), json_values),
)
@example(TokenKind.ACCESS, ["alg", "kid"])
@example(TokenKind.ACCESS, "alg kid")
@example(TokenKind.ACCESS, {"alg": "HS256", "crit": []})
@example(TokenKind.ACCESS, {"alg": "HS256", "crit": ["kid"], "kid": "a"})
def test_no_header_is_an_error(kind: TokenKind, header: Any) -> None:
    """Rightly signed under any header: read only as HS256 without crit, else refused; never an error of another kind."""
    sort = Sort(kind)
    try:
        sort.read(signed(kind, header, payload(sort.mint())))
    except TokenRefused:
        return
    assert header["alg"] == "HS256"
    assert "crit" not in header
    assert kind is TokenKind.REFRESH or "kid" not in header


@given(sorts, json_values | st.binary(max_size=20))
def test_no_claims_are_an_error(sort: Sort, claims: Any) -> None:
    """Rightly signed claims of any shape: refused, and never an error of another kind."""
    for read in (sort.read, sort.tokens_at(NOW).read_original):
        with pytest.raises(TokenRefused):
            read(sort.sign(claims))


CLAIMS = ["sub", "id", "sid", "jti", "typ", "iat", "exp", "nbf", "via", "rem", "role", "amr", "auth_time", "act", "app"]


@given(sorts, st.sampled_from(CLAIMS), json_values)
def test_every_claim_is_held_to_its_rule(sort: Sort, name: str, value: Any) -> None:
    """One claim replaced by anything: what is read then is still this user, this session, in its time."""
    claims = payload(sort.mint()) | {name: value}
    try:
        read = sort.read(sort.sign(claims))
    except (TokenRefused, TokenExpired):
        return
    assert (read.user_id, read.session_id) == (7, UUID(int=7))
    assert type(read.expires_at) is int
    assert read.expires_at > NOW


@given(sorts, st.sampled_from(["sub", "id", "sid", "jti", "typ", "iat", "exp"]))
def test_every_claim_is_required(sort: Sort, name: str) -> None:
    """None of the seven may be left out."""
    claims = payload(sort.mint())
    del claims[name]
    with pytest.raises(TokenRefused):
        sort.read(sort.sign(claims))


@given(user_ids, st.integers(1, 10**9), st.integers(1, 10**9))
def test_tokens_of_the_original_are_read_until_they_expire(user_id: int, before: int, after: int) -> None:
    """Claims `id`, `iat`, `exp` and no other, signed with the refresh secret."""
    claims = {"id": user_id, "iat": NOW - before, "exp": NOW + after}
    token = signed(TokenKind.REFRESH, {"alg": "HS256", "typ": "JWT"}, claims)
    tokens = REFRESH.tokens_at(NOW)
    assert tokens.read_original(token) == user_id
    with pytest.raises(TokenRefused):
        REFRESH.tokens_at(NOW + after).read_original(token)
    with pytest.raises(TokenRefused):
        REFRESH.read(token)
    with pytest.raises(TokenRefused):
        tokens.read_original(REFRESH.mint())


@given(st.text(alphabet="0123456789abcdef", max_size=40))
def test_bytes_have_one_spelling(key_id: str) -> None:
    """Else one token had several hashes: of all spellings of the same bytes only the canonical one is read."""
    header = json.dumps({"alg": "HS256", "cty": key_id}).encode()
    canonical, claims = part(header), payload(REFRESH.mint())
    sloppy = {canonical[:-1] + last for last in ALPHABET} | {canonical + "=" * number for number in (1, 2)}
    same_bytes = {spelling for spelling in sloppy if decoded(spelling) == header} - {canonical}
    assert len(same_bytes) >= (2, 17, 5)[len(header) % 3]
    for spelling in same_bytes:
        mac = hmac.digest(REFRESH_SECRET.encode(), f"{spelling}.{part(claims)}".encode(), sha256)
        with pytest.raises(TokenRefused):
            REFRESH.read(f"{spelling}.{part(claims)}.{part(mac)}")
    assert REFRESH.read(signed(TokenKind.REFRESH, header, claims)).user_id == 7


def decoded(text: str) -> bytes:
    """The bytes that a lenient reader takes base64url for."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_no_two_tokens_are_equal() -> None:
    """Minted in the same second for the same session they differ, so their hashes do."""
    assert len({token_hash(REFRESH.mint()) for _ in range(100)}) == 100


def made_again(tokens: Tokens, parent: Claims, made: RefreshToken) -> RefreshToken | None:
    """Returns the successor of a parent, from what the database stores of it."""
    return tokens.same_successor(
        parent, issued_at=made.issued_at, expires_at=made.expires_at, stored_hash=token_hash(made.token)
    )


@given(st.sampled_from(SORTS[:3]), user_ids, st.uuids(), times, times)
def test_a_successor_is_made_again_byte_for_byte(
    sort: Sort, user_id: int, session: UUID, now: float, later: float
) -> None:
    """What replaced a token is minted again from the stored times at any later time, and is no other's successor."""
    assume(now < 2**39)
    tokens = sort.tokens_at(now)
    parent, other = (
        tokens.read(TokenKind.REFRESH, minted(tokens, user_id, session, NEVER).refresh.token) for _ in range(2)
    )
    first = tokens.successor(parent)
    afterwards = sort.tokens_at(later)
    again = made_again(afterwards, parent, first)
    assert again is not None
    assert again == first
    assert afterwards.pair(again, AS_USER, tokens.signer()) == tokens.pair(first, AS_USER, tokens.signer())
    assert tokens.successor(other) != first
    assert made_again(tokens, other, first) is None
    next_parent = tokens.read(TokenKind.REFRESH, first.token)
    assert (next_parent.user_id, next_parent.session_id) == (user_id, session)
    assert tokens.successor(next_parent).token != first.token


@given(lifetimes, times, times)
def test_tokens_live_as_long_as_the_settings_say(lifetimes: Lifetimes, now: float, cap: float) -> None:
    """Neither kind outlives the session's cap."""
    assume(cap > now + 1)
    pair = minted(BY_KEY.tokens_at(now, lifetimes), 7, UUID(int=7), cap)
    bound = int(cap) - int(now)
    lived = [payload(token)["exp"] - payload(token)["iat"] for token in (pair.access, pair.refresh.token)]
    assert lived == [min(lifetimes.access_seconds, bound), min(lifetimes.refresh_seconds, bound)]
    refresh = payload(pair.refresh.token)
    assert (pair.refresh.issued_at, pair.refresh.expires_at) == (int(now), refresh["exp"])
    assert pair.access_expires_at == payload(pair.access)["exp"]


@given(lifetimes, lifetimes, st.floats(0, 60), times)
def test_a_successor_made_again_under_other_settings(
    before: Lifetimes, after: Lifetimes, later: float, cap: float
) -> None:
    """The refresh token is the very one that the session has. The access token lives no longer than is allowed now."""
    assume(cap > NOW + 1)
    parent = REFRESH.read(REFRESH.mint())
    first = BY_KEY.tokens_at(NOW, before).successor(parent, not_after=cap)
    tokens = BY_KEY.tokens_at(NOW + later, after)
    again = made_again(tokens, parent, first)
    assert again is not None
    assert again == first
    assert tokens.pair(again, AS_USER, tokens.signer()).access_expires_at == min(
        NOW + after.access_seconds, first.expires_at
    )
