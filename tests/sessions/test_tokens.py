"""Properties of the reader and maker of tokens: what it makes it reads, and nothing else."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from latchkey.sessions.tokens import (
    CLOCK_SKEW_SECONDS,
    Claims,
    Lifetimes,
    TokenExpired,
    TokenKind,
    TokenPair,
    TokenRefused,
    Tokens,
    token_hash,
)

ACCESS_SECRET = "access-secret-of-these-properties-0123456789"
REFRESH_SECRET = "refresh-secret-of-these-properties-0123456789"
SECRETS = {TokenKind.ACCESS: ACCESS_SECRET, TokenKind.REFRESH: REFRESH_SECRET}
NOW = 1_800_000_000
NEVER = float(2**40)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

LIFETIME_SECONDS = {TokenKind.ACCESS: 300, TokenKind.REFRESH: 86_400}

kinds = st.sampled_from(TokenKind)
lifetimes = st.builds(Lifetimes, st.integers(60, 3_600), st.integers(1, 720).map(lambda hours: hours * 3_600))
user_ids = st.integers(1, 2**31 - 1)
times = st.floats(1, 2**40, allow_nan=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def tokens_at(now: float, lifetimes: Lifetimes | None = None) -> Tokens:
    """The tokens of a server whose clock stands still."""
    return Tokens(ACCESS_SECRET, REFRESH_SECRET, lambda: now, lifetimes)


def minted(kind: TokenKind = TokenKind.ACCESS, now: float = NOW) -> str:
    """A genuine token."""
    return of_kind(kind, tokens_at(now).mint(7, UUID(int=7), not_after=NEVER))


def of_kind(kind: TokenKind, pair: TokenPair) -> str:
    """The access token of a pair, or its refresh token."""
    return pair.access if kind is TokenKind.ACCESS else pair.refresh


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


@given(kinds, user_ids, st.uuids(), times, times)
def test_what_is_minted_is_read(kind: TokenKind, user_id: int, session: UUID, now: float, cap: float) -> None:
    """Round trip at any time: the same user and session, the lifetime of its kind, and never past the cap."""
    assume(cap > now + 1)
    token = of_kind(kind, tokens_at(now).mint(user_id, session, not_after=cap))
    claims = tokens_at(now).read(kind, token)
    expires_at = min(int(now) + LIFETIME_SECONDS[kind], int(cap))
    assert claims == Claims(user_id, session, payload(token)["jti"], expires_at)


@given(kinds, st.floats(0, 200_000, allow_nan=False))
def test_it_is_good_until_it_expires_and_no_longer(kind: TokenKind, later: float) -> None:
    """No leeway on exp: one moment it is read, the next it is expired, and then still says whose it was."""
    token = minted(kind)
    reader = tokens_at(NOW + later)
    if later < LIFETIME_SECONDS[kind]:
        assert reader.read(kind, token).user_id == 7
        return
    with pytest.raises(TokenExpired) as expired:
        reader.read(kind, token)
    expires_at = NOW + LIFETIME_SECONDS[kind]
    assert expired.value.claims == Claims(7, UUID(int=7), payload(token)["jti"], expires_at)


@given(kinds, st.floats(0, 200_000, allow_nan=False))
def test_it_is_refused_before_its_time(kind: TokenKind, sooner: float) -> None:
    """A clock that runs ahead by up to 30 s is put up with, one that is further ahead is not."""
    token, reader = minted(kind), tokens_at(NOW - sooner)
    if sooner <= CLOCK_SKEW_SECONDS:
        assert reader.read(kind, token).user_id == 7
        return
    with pytest.raises(TokenRefused):
        reader.read(kind, token)


@given(kinds, st.data())
def test_any_change_of_one_character_is_refused(kind: TokenKind, data: st.DataObject) -> None:
    """Every character counts, in every part: changed, left out or put in."""
    token = minted(kind)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(ALPHABET + ".=+/ \n\x00é"))
    changed = data.draw(
        st.sampled_from(
            [token[:at] + other + token[at + 1 :], token[:at] + other + token[at:], token[:at] + token[at + 1 :]]
        )
    )
    assume(changed != token)
    with pytest.raises(TokenRefused):
        tokens_at(NOW).read(kind, changed)


@given(kinds, st.text() | st.text(alphabet=ALPHABET + ".", max_size=200))
def test_text_is_refused(kind: TokenKind, text: str) -> None:
    """Whatever a cookie holds: refused, and never an error of another kind."""
    for reader in (tokens_at(NOW).read, lambda _, token: tokens_at(NOW).read_original(token)):
        with pytest.raises(TokenRefused):
            reader(kind, text)


@given(st.lists(kinds, min_size=2, max_size=2, unique=True))
def test_neither_kind_passes_for_the_other(pair: list[TokenKind]) -> None:
    """Each has its secret and its name."""
    with pytest.raises(TokenRefused):
        tokens_at(NOW).read(pair[0], minted(pair[1]))
    claims = payload(minted(pair[1]))
    with pytest.raises(TokenRefused):
        tokens_at(NOW).read(pair[0], signed(pair[0], {"alg": "HS256"}, claims))


@given(
    kinds,
    json_values | st.dictionaries(st.sampled_from(["alg", "typ", "kid", "jwk", "crit", "b64", "zip"]), json_values),
)
@example(TokenKind.ACCESS, {"alg": "HS256", "crit": []})
@example(TokenKind.ACCESS, {"alg": "HS256", "crit": ["kid"], "kid": "a"})
def test_no_header_is_an_error(kind: TokenKind, header: Any) -> None:
    """Rightly signed under any header: read only as HS256 without crit, else refused; never an error of another kind."""
    token = signed(kind, header, payload(minted(kind)))
    try:
        tokens_at(NOW).read(kind, token)
    except TokenRefused:
        return
    assert header["alg"] == "HS256"
    assert "crit" not in header


@given(kinds, json_values | st.binary(max_size=20))
def test_no_claims_are_an_error(kind: TokenKind, claims: Any) -> None:
    """Rightly signed claims of any shape: refused, and never an error of another kind."""
    for read in (tokens_at(NOW).read, lambda _, token: tokens_at(NOW).read_original(token)):
        with pytest.raises(TokenRefused):
            read(kind, signed(kind, {"alg": "HS256"}, claims))


@given(kinds, st.sampled_from(["sub", "id", "sid", "jti", "typ", "iat", "exp", "nbf"]), json_values)
def test_every_claim_is_held_to_its_rule(kind: TokenKind, name: str, value: Any) -> None:
    """One claim replaced by anything: what is read then is still this user, this session, in its time."""
    claims = payload(minted(kind)) | {name: value}
    try:
        read = tokens_at(NOW).read(kind, signed(kind, {"alg": "HS256"}, claims))
    except (TokenRefused, TokenExpired):
        return
    assert (read.user_id, read.session_id) == (7, UUID(int=7))
    assert type(read.expires_at) is int
    assert read.expires_at > NOW


@given(kinds, st.sampled_from(["sub", "id", "sid", "jti", "typ", "iat", "exp"]))
def test_every_claim_is_required(kind: TokenKind, name: str) -> None:
    """None of the seven may be left out."""
    claims = payload(minted(kind))
    del claims[name]
    with pytest.raises(TokenRefused):
        tokens_at(NOW).read(kind, signed(kind, {"alg": "HS256"}, claims))


@given(user_ids, st.integers(1, 10**9), st.integers(1, 10**9))
def test_tokens_of_the_original_are_read_until_they_expire(user_id: int, before: int, after: int) -> None:
    """Claims `id`, `iat`, `exp` and no other, signed with the refresh secret."""
    claims = {"id": user_id, "iat": NOW - before, "exp": NOW + after}
    token = signed(TokenKind.REFRESH, {"alg": "HS256", "typ": "JWT"}, claims)
    assert tokens_at(NOW).read_original(token) == user_id
    with pytest.raises(TokenRefused):
        tokens_at(NOW + after).read_original(token)
    with pytest.raises(TokenRefused):
        tokens_at(NOW).read(TokenKind.REFRESH, token)
    with pytest.raises(TokenRefused):
        tokens_at(NOW).read_original(minted(TokenKind.REFRESH))


@given(st.text(alphabet="0123456789abcdef", max_size=40))
def test_bytes_have_one_spelling(key_id: str) -> None:
    """Else one token had several hashes: of all spellings of the same bytes only the canonical one is read."""
    header = json.dumps({"alg": "HS256", "kid": key_id}).encode()
    canonical, claims = part(header), payload(minted())
    sloppy = {canonical[:-1] + last for last in ALPHABET} | {canonical + "=" * number for number in (1, 2)}
    same_bytes = {spelling for spelling in sloppy if decoded(spelling) == header} - {canonical}
    assert len(same_bytes) >= (2, 17, 5)[len(header) % 3]
    for spelling in same_bytes:
        mac = hmac.digest(ACCESS_SECRET.encode(), f"{spelling}.{part(claims)}".encode(), sha256)
        with pytest.raises(TokenRefused):
            tokens_at(NOW).read(TokenKind.ACCESS, f"{spelling}.{part(claims)}.{part(mac)}")
    assert tokens_at(NOW).read(TokenKind.ACCESS, signed(TokenKind.ACCESS, header, claims)).user_id == 7


def decoded(text: str) -> bytes:
    """The bytes that a lenient reader takes base64url for."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_no_two_tokens_are_equal() -> None:
    """Minted in the same second for the same session they differ, so their hashes do."""
    assert len({token_hash(minted()) for _ in range(100)}) == 100


@given(user_ids, st.uuids(), times, times)
def test_a_successor_is_made_again_byte_for_byte(user_id: int, session: UUID, now: float, later: float) -> None:
    """What replaced a token is minted again from the stored times, whenever it is asked for, and
    is no other's successor."""
    assume(now < 2**39)
    parent = tokens_at(now).read(TokenKind.REFRESH, tokens_at(now).mint(user_id, session, not_after=NEVER).refresh)
    other = tokens_at(now).read(TokenKind.REFRESH, tokens_at(now).mint(user_id, session, not_after=NEVER).refresh)
    first = tokens_at(now).succeed(parent)
    again = tokens_at(later).succeed_again(parent, issued_at=first.issued_at, expires_at=first.expires_at)
    assert again == first
    assert tokens_at(now).succeed(other) != first
    assert first.access != first.refresh
    next_parent = tokens_at(now).read(TokenKind.REFRESH, first.refresh)
    assert (next_parent.user_id, next_parent.session_id) == (user_id, session)
    assert tokens_at(now).succeed(next_parent).refresh != first.refresh


@given(lifetimes, times, times)
def test_tokens_live_as_long_as_the_settings_say(lifetimes: Lifetimes, now: float, cap: float) -> None:
    """Neither kind outlives the session's cap."""
    assume(cap > now + 1)
    pair = tokens_at(now, lifetimes).mint(7, UUID(int=7), not_after=cap)
    bound = int(cap) - int(now)
    lived = [payload(token)["exp"] - payload(token)["iat"] for token in (pair.access, pair.refresh)]
    assert lived == [min(lifetimes.access_seconds, bound), min(lifetimes.refresh_seconds, bound)]
    assert (pair.issued_at, pair.expires_at) == (int(now), payload(pair.refresh)["exp"])


@given(lifetimes, lifetimes, st.floats(0, 60), times)
def test_a_successor_made_again_under_other_settings(
    before: Lifetimes, after: Lifetimes, later: float, cap: float
) -> None:
    """The refresh token is the very one that the session has. The access token lives no longer than is allowed now."""
    assume(cap > NOW + 1)
    parent = tokens_at(NOW).read(TokenKind.REFRESH, minted(TokenKind.REFRESH))
    first = tokens_at(NOW, before).succeed(parent, not_after=cap)
    again = tokens_at(NOW + later, after).succeed_again(parent, issued_at=first.issued_at, expires_at=first.expires_at)
    assert again.refresh == first.refresh
    expires_at = payload(again.access)["exp"]
    assert expires_at == min(NOW + after.access_seconds, first.expires_at)
    if before.access_seconds == after.access_seconds:
        assert again == first
