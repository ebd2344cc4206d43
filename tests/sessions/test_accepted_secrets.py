"""Properties of tokens while a secret is rotated: read under every secret that is accepted, made under the current one."""

import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.http.request_kind import Transport
from latchkey.keys import Secret
from latchkey.sessions.claims import TokenExpired, TokenKind, TokenRefused
from latchkey.sessions.tokens import Parties, TokenPair, Tokens, token_hash
from tests.kit.answers import claims_of
from tests.kit.forging import signed
from tests.kit.original_tokens import original_token
from tests.kit.signing_keys import AS_USER, FixedRing

NOW = int(time.time())
NAMES = ("one", "two", "three", "four")
ACCESS = {name: f"access-secret-{name}-of-these-properties" for name in NAMES}
REFRESH = {name: f"refresh-secret-{name}-of-these-properties" for name in NAMES}
orders = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)
kinds = st.sampled_from(TokenKind)


def secret_of(values: dict[str, str], names: list[str]) -> Secret:
    """Returns the secret with these names, the current one first."""
    current, *accepted = (values[name] for name in names)
    return Secret(current, tuple(accepted))


def tokens_of(names: list[str], *, refresh: list[str] | None = None, now: float = NOW) -> Tokens:
    """Returns the tokens of an instance that knows these secrets, and signs access tokens with one."""
    return Tokens(
        secret_of(ACCESS, names),
        secret_of(REFRESH, refresh or names),
        FixedRing(),
        lambda: now,
        parties=Parties("", ""),
    )


def mint(tokens: Tokens, transport: Transport = Transport.COOKIE) -> TokenPair:
    """Returns the first pair of a session."""
    first = tokens.first(7, UUID(int=7), transport=transport, remember=True, not_after=2**40)
    return tokens.pair(first, AS_USER, tokens.signer())


def of_kind(kind: TokenKind, pair: TokenPair) -> str:
    """The access token of a pair, or its refresh token."""
    return pair.access if kind is TokenKind.ACCESS else pair.refresh.token


@given(kinds, orders, orders, st.sampled_from(Transport))
def test_a_token_is_read_where_its_secret_is_known(
    kind: TokenKind, makes: list[str], reads: list[str], transport: Transport
) -> None:
    """Whether as the current one or as an accepted one, at any place. Nowhere else."""
    token = of_kind(kind, mint(tokens_of(makes), transport))
    if makes[0] not in reads:
        with pytest.raises(TokenRefused):
            tokens_of(reads).read(kind, token)
        return
    assert tokens_of(reads).read(kind, token) == tokens_of([makes[0]]).read(kind, token)


@given(kinds, orders)
def test_only_the_current_secret_makes_tokens(kind: TokenKind, names: list[str]) -> None:
    token = of_kind(kind, mint(tokens_of(names)))
    assert tokens_of(names[:1]).read(kind, token).user_id == 7
    if names[1:]:
        with pytest.raises(TokenRefused):
            tokens_of(names[1:]).read(kind, token)


@given(kinds, orders)
def test_an_expired_token_of_an_accepted_secret_is_expired(kind: TokenKind, names: list[str]) -> None:
    """Its client refreshes, or signs out with it, as with one of the current secret."""
    token = of_kind(kind, mint(tokens_of(names[-1:])))
    with pytest.raises(TokenExpired) as expired:
        tokens_of(names, now=NOW + 40 * 86_400).read(kind, token)
    assert expired.value.claims.session_id == UUID(int=7)


@given(orders)
def test_no_secret_of_one_kind_reads_tokens_of_the_other(names: list[str]) -> None:
    """Even where the claims are right."""
    pair = mint(tokens_of(names[-1:]))
    refresh, access = claims_of(pair.refresh.token), claims_of(pair.access)
    for kind, token in (
        (TokenKind.ACCESS, signed(access, REFRESH[names[-1]])),
        (TokenKind.REFRESH, signed(refresh, ACCESS[names[-1]])),
        (TokenKind.ACCESS, pair.refresh.token),
        (TokenKind.REFRESH, pair.access),
    ):
        with pytest.raises(TokenRefused):
            tokens_of(names).read(kind, token)


@given(kinds, orders, st.data())
def test_a_changed_token_is_refused_under_all_secrets(kind: TokenKind, names: list[str], data: st.DataObject) -> None:
    token = of_kind(kind, mint(tokens_of(names[-1:])))
    at = data.draw(st.integers(0, len(token) - 1))
    changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
    with pytest.raises(TokenRefused):
        tokens_of(names).read(kind, changed)


@given(orders, orders, orders)
def test_a_successor_is_made_again_wherever_its_secret_is_known(
    issues: list[str], rotates: list[str], replays: list[str]
) -> None:
    """One secret has signed the parent, another one the successor; the instance that is asked again may make tokens
    with a third."""
    parent = tokens_of([rotates[0]], refresh=[issues[0]]).read(
        TokenKind.REFRESH, mint(tokens_of([rotates[0]], refresh=[issues[0]])).refresh.token
    )
    made = tokens_of(rotates).successor(parent)
    again = tokens_of(replays, now=NOW + 9).same_successor(
        parent, issued_at=made.issued_at, expires_at=made.expires_at, stored_hash=token_hash(made.token)
    )
    assert again == (made if rotates[0] in replays else None)


@given(orders, orders)
def test_no_two_secrets_make_one_successor(one: list[str], other: list[str]) -> None:
    parent = tokens_of(["one"]).read(TokenKind.REFRESH, mint(tokens_of(["one"])).refresh.token)
    made = [tokens_of(names).successor(parent) for names in (one, other)]
    assert (made[0] == made[1]) == (one[0] == other[0])
    assert (made[0].access_id == made[1].access_id) == (one[0] == other[0])


@given(orders, st.sampled_from(NAMES))
def test_a_token_of_node_api_postgres_is_read_under_all_secrets(names: list[str], made: str) -> None:
    token = original_token(7, secret=REFRESH[made])
    if made in names:
        assert tokens_of(names).read_original(token) == 7
    else:
        with pytest.raises(TokenRefused):
            tokens_of(names).read_original(token)
