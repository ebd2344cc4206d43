"""Which key signs, which wait, and which have left, whatever keys there are."""

from hypothesis import given
from hypothesis import strategies as st

from latchkey.signing.stored import KeyState, Purpose, StoredKey, StoredKeys

times = st.floats(0, 100)


def key(kid: str, signs_from: float, leaves_at: float | None, sealed: bytes | None) -> StoredKey:
    """Returns a key of access tokens."""
    return StoredKey(kid, "access", "ES256", {}, sealed, signs_from, leaves_at, 0)


@st.composite
def stored_keys(draw: st.DrawFn) -> StoredKeys:
    """Any keys at any time."""
    rows = draw(st.lists(st.tuples(times, st.none() | times, st.sampled_from([b"sealed", None])), max_size=6))
    return StoredKeys(draw(times), [key(str(n), *row) for n, row in enumerate(sorted(rows, key=lambda row: row[0]))])


@given(stored_keys())
def test_each_key_is_in_one_state(stored: StoredKeys) -> None:
    states = [stored.state(each) for each in stored.keys]
    assert states.count(KeyState.SIGNING) == (stored.signer is not None)
    assert (KeyState.WAITING in states) == (stored.waiting is not None)
    listed = [each for each, state in zip(stored.keys, states, strict=True) if state is not KeyState.LEFT]
    assert listed == stored.listed
    for each, state in zip(stored.keys, states, strict=True):
        if state is KeyState.WAITING:
            assert each.signs_from > stored.now


@given(stored_keys())
def test_the_latest_that_began_signs(stored: StoredKeys) -> None:
    able = [k for k in stored.listed if k.private_sealed and k.signs_from <= stored.now]
    assert stored.signer is (max(able, key=lambda k: (k.signs_from, int(k.kid))) if able else None)


@given(stored_keys(), times)
def test_what_signs_has_not_stopped(stored: StoredKeys, seconds: float) -> None:
    stopped = stored.stopped_for(seconds)
    newest = max((k.signs_from for k in stored.keys if k.signs_from <= stored.now and k.ever_signs()), default=None)
    assert not [k for k in stopped if k in stored.listed and k.signs_from == newest]
    assert {k.kid for k in stopped} <= {k.kid for k in stored.stopped_for(0)}


def test_a_key_that_was_retired_while_it_waited_never_signs() -> None:
    """So it stops no other key, and HS256 stays good."""
    first = key("first", 10, None, b"")
    retired = key("retired", 50, 40, None)
    stored = StoredKeys(90, [first, retired])
    assert stored.signer is first
    assert stored.signs_since == 10
    assert stored.stopped_for(0) == [retired]
    assert StoredKeys(90, [retired]).signs_since is None


def test_keys_of_another_purpose_are_left_out() -> None:
    other = StoredKey("x", "oidc", "RS256", {}, b"", 1, None, 0)
    mine = key("y", 1, None, b"")
    assert StoredKeys(5, [other, mine]).of(Purpose.ACCESS) == StoredKeys(5, (mine,))
