"""The form of API keys: scanners of source code know them by it, and mistyped ones are refused before any look-up."""

import re
import string
import zlib
from hashlib import sha256

from hypothesis import assume, given
from hypothesis import strategies as st

from latchkey.features.api_keys.key_format import new_key, read_key

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
KEY = new_key()
# Made once: its checksum is 0x0dbbbf0b, the CRC-32 of what stands before it.
KNOWN = "lk_0123456789AB_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg0FaldD"


def number(digits: str) -> int:
    """Returns the number that base62 digits write."""
    value = 0
    for digit in digits:
        value = value * 62 + BASE62.index(digit)
    return value


def test_has_id_secret_and_checksum() -> None:
    made = {new_key() for _ in range(100)}
    assert len(made) == 100
    for key in made:
        assert re.fullmatch("lk_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}[0-9A-Za-z]{6}", key)
        assert number(key[-6:]) == zlib.crc32(key[:-6].encode())
        presented = read_key(key)
        assert presented is not None
        assert (presented.id, presented.hash) == (key[3:15], sha256(key.encode()).digest())


def test_ids_and_secrets_use_the_whole_alphabet() -> None:
    """A secret has 256 bits only if each character may be any of the 62."""
    seen = set("".join(key[16:-6] for key in (new_key() for _ in range(100))))
    assert seen == set(BASE62)


@given(st.integers(0, len(KEY) - 1), st.characters())
def test_a_mistyped_character_is_noticed(position: int, typed: str) -> None:
    assume(typed != KEY[position])
    assert read_key(KEY[:position] + typed + KEY[position + 1 :]) is None


@given(st.integers(3, len(KEY) - 2))
def test_swapped_neighbours_are_noticed(position: int) -> None:
    assume(KEY[position] != KEY[position + 1])
    assert read_key(f"{KEY[:position]}{KEY[position + 1]}{KEY[position]}{KEY[position + 2 :]}") is None


@given(st.text(max_size=80))
def test_any_other_text_is_no_key(text: str) -> None:
    assert read_key(text) is None
    assert read_key(KEY + text) is None or not text
    assert read_key(text + KEY) is None or not text


def test_the_form_stays_what_it_is() -> None:
    """Keys are kept for years: a version that reads them otherwise would lock every server out."""
    presented = read_key(KNOWN)
    assert presented is not None
    assert presented.id == "0123456789AB"
