"""Cursors: what was written is read, and nothing else is."""

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from latchkey.http.cursors import read_cursor, read_time, write_cursor, write_time

LENGTH = 21
raw = st.binary(min_size=LENGTH, max_size=LENGTH)
times = st.datetimes(timezones=st.just(UTC))


@given(raw)
def test_what_is_written_is_read(value: bytes) -> None:
    text = write_cursor(value)
    assert text.replace("-", "").replace("_", "").isalnum()
    assert read_cursor(text, {LENGTH}) == value
    assert read_cursor(text, {LENGTH + 3}) is None


@given(raw, st.integers(0, 31), st.sampled_from("ABCxyz019-_"))
def test_a_mistyped_character_is_noticed(value: bytes, position: int, typed: str) -> None:
    text = write_cursor(value)
    assume(text[position] != typed)
    assert read_cursor(text[:position] + typed + text[position + 1 :], {LENGTH}) is None


@given(st.text(max_size=64))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert read_cursor(text, {LENGTH}) is None


@given(times)
def test_times_are_exact(time: datetime) -> None:
    assert read_time(write_time(time)) == time


@pytest.mark.parametrize("number", [2**62, -(2**62)])
def test_a_time_that_cannot_be(number: int) -> None:
    with pytest.raises(OverflowError):
        read_time(number.to_bytes(8, "big", signed=True))
