"""Sealed values: they open for their own place, under a known secret, unchanged, and in no other case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.sealing import SealBroken, Sealer

OLD, NEW, OTHER = "old-secret-" * 4, "new-secret-" * 4, "other-secret-" * 4
PLACE = {"table": "signing_keys", "column": "private_sealed", "key": "7"}
names = st.text(min_size=1, max_size=20)
places = st.fixed_dictionaries({"table": names, "column": names, "key": names | st.integers()}).filter(
    lambda place: "|" not in str(place["table"]) + str(place["column"])
)


@given(st.binary(max_size=300), places)
def test_opens_for_its_place(plain: bytes, place: dict[str, str]) -> None:
    sealed = Sealer(NEW).seal(plain, **place)
    assert Sealer(NEW).open(sealed, **place) == plain
    assert len(plain) < 8 or plain not in sealed


def test_every_flipped_bit_breaks_it() -> None:
    sealer = Sealer(NEW)
    sealed = sealer.seal(b"a private key", **PLACE)
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            sealer.open(bytes(changed), **PLACE)


def test_a_value_that_is_cut_does_not_open() -> None:
    sealer = Sealer(NEW)
    sealed = sealer.seal(b"a private key", **PLACE)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            sealer.open(sealed[:length], **PLACE)
    with pytest.raises(SealBroken):
        sealer.open(sealed + b"\0", **PLACE)


@pytest.mark.parametrize("part", PLACE)
def test_a_copy_in_another_place_does_not_open(part: str) -> None:
    sealer = Sealer(NEW)
    with pytest.raises(SealBroken):
        sealer.open(sealer.seal(b"x", **PLACE), **PLACE | {part: "elsewhere"})


@given(places, places)
def test_no_two_places_read_alike(one: dict[str, str], other: dict[str, str]) -> None:
    sealer = Sealer(NEW)
    sealed = sealer.seal(b"x", **one)
    if tuple(map(str, one.values())) != tuple(map(str, other.values())):
        with pytest.raises(SealBroken):
            sealer.open(sealed, **other)


def test_an_accepted_secret_opens_and_is_not_current() -> None:
    """So a value can be sealed again before the old secret is dropped."""
    of_old = Sealer(OLD).seal(b"x", **PLACE)
    both = Sealer(NEW, (OTHER, OLD))
    assert both.open(of_old, **PLACE) == b"x"
    assert not both.is_current(of_old)
    again = both.seal(both.open(of_old, **PLACE), **PLACE)
    assert both.is_current(again)
    assert Sealer(NEW).open(again, **PLACE) == b"x"


def test_an_unknown_secret_does_not_open() -> None:
    sealed = Sealer(OLD).seal(b"x", **PLACE)
    for sealer in (Sealer(NEW), Sealer(NEW, (OTHER,))):
        with pytest.raises(SealBroken):
            sealer.open(sealed, **PLACE)
        assert not sealer.is_current(sealed)


def test_the_same_value_is_never_sealed_alike() -> None:
    sealer = Sealer(NEW)
    assert len({sealer.seal(b"x", **PLACE) for _ in range(100)}) == 100


def test_the_secret_is_not_shown() -> None:
    assert NEW not in repr(Sealer(NEW)) + str(vars(Sealer(NEW)))
