"""Readers of any file: each yields records in order, or refuses the file. Nothing that a file holds raises."""

import gzip
import io
import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latchkey.features.imports.account import FIELDS, Account, check, row_model
from latchkey.features.imports.readers.dump import read_dump
from latchkey.features.imports.readers.json_array import read_json_array
from latchkey.features.imports.readers.lines import LINE_MAX_BYTES, read_lines
from latchkey.features.imports.readers.sources import READERS, reader_of
from latchkey.features.imports.record import FileRefused, Record

SAMPLES = Path(__file__).parent / "samples"
ROW = row_model(1)
# Those that hold JSON: a file, and where its accounts are.
JSON_SAMPLES = {"django": "django.json", "keycloak": "keycloak.json", "auth0": "auth0.ndjson"}
TEXT_SAMPLES = {
    "django": "django.csv",
    "supabase": "supabase-copy.sql",
    "node-api-postgres": "node-api-postgres.sql",
    None: "auth0.ndjson",
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def read(source: str | None, content: bytes) -> list[Record]:
    """Returns the records, each of which is checked; none if the file is refused."""
    records: list[Record] = []
    with suppress(FileRefused):
        records.extend(reader_of(source)(io.BytesIO(content), Path("unused")))
    for record in records:
        checked = check(record, ROW, keep_ids=False)
        assert isinstance(checked, Account) or checked
    return records


@given(st.binary(max_size=300))
@pytest.mark.parametrize("source", [None, *(name for name in READERS if name != "pocketbase")])
def test_any_bytes(source: str | None, content: bytes) -> None:
    read(source, content)


@given(st.data())
@pytest.mark.parametrize("source", TEXT_SAMPLES)
def test_a_damaged_text(source: str | None, data: st.DataObject) -> None:
    content = (SAMPLES / TEXT_SAMPLES[source]).read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(len(content), start + 30)))
    damaged = content[:start] + data.draw(st.binary(max_size=20)) + content[end:]
    lines = [record.line for record in read(source, damaged)]
    assert lines == sorted(set(lines))


@given(st.data())
@settings(max_examples=300)
@pytest.mark.parametrize("source", JSON_SAMPLES)
def test_other_values_in_json(source: str, data: st.DataObject) -> None:
    """Any value of the sample is replaced by any other."""
    text = (SAMPLES / JSON_SAMPLES[source]).read_text("utf-8")
    parsed = [json.loads(line) for line in text.splitlines()] if source == "auth0" else json.loads(text)
    other = _with(parsed, data.draw(st.sampled_from(_paths(parsed))), data.draw(json_values))
    lines = other if source == "auth0" and isinstance(other, list) else [other]
    read(source, "\n".join(json.dumps(line) for line in lines).encode())


def _paths(value: Any) -> list[tuple[Any, ...]]:
    """Returns the way to each value within, also into JSON that is a text."""
    if isinstance(value, str) and value.startswith("{"):
        return [(), *_paths(json.loads(value))[1:]]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((key, *path) for key, each in inner for path in _paths(each))]


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Returns the value with another one at the end of the way."""
    if not path:
        return new
    if isinstance(value, str):
        return json.dumps(_with(json.loads(value), path, new))
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(copy[path[0]], path[1:], new)
    return copy


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), json_values))
def test_any_fields(fields: dict[str, Any]) -> None:
    checked = check(Record(1, {"email": "ann@example.com", "name": "Ann"} | fields), ROW, keep_ids=True)
    if isinstance(checked, Account):
        for text in (checked.owner, checked.public, checked.private):
            assert text is None or isinstance(json.loads(text), dict)
    else:
        assert all(problem.message for problem in checked)


@given(st.lists(st.dictionaries(st.text(max_size=9), json_values, max_size=3)))
def test_an_array_is_read_as_json_reads_it(objects: list[dict[str, Any]]) -> None:
    class Slow(io.BytesIO):
        """Gives a few bytes at a time."""

        def read(self, _: int | None = -1, /) -> bytes:
            return super().read(7)

    text = json.dumps(objects, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        expected = json.loads(text.decode("utf-8", "surrogateescape"))
    except ValueError:
        return
    assert [value for _, value, _ in read_json_array(Slow(text))] == expected


def test_values_of_a_dump_may_hold_anything() -> None:
    """Line breaks, quotes, commas and parentheses; null is another value than no text."""
    values = ["a\nb", "it''s", "x, (y)", "", "\\n"]
    quoted = ", ".join(f"'{value}'" for value in values)
    dump = (
        f"INSERT INTO public.users (a, b, c, d, e, f, g, h) VALUES\n\t({quoted}, NULL, E'tab\\there', '7'::integer),\n"
        f"\t(1, true, -2.5, '', '', '', '', '');\nINSERT INTO public.other (a) VALUES ('x');\n"
    )
    rows = list(read_dump(io.BytesIO(dump.encode()), "users", "public.users"))
    first = dict(zip("abcdefgh", ["a\nb", "it's", "x, (y)", "", "\\n", None, "tab\there", "7"], strict=True))
    second = dict(zip("abcdefgh", ["1", "true", "-2.5", "", "", "", "", ""], strict=True))
    assert rows == [(2, first, ""), (4, second, "")]


def test_a_line_that_is_too_long_is_passed_over() -> None:
    content = b"a\n" + b"x" * (LINE_MAX_BYTES * 3) + b"\nb\n" + b"y" * LINE_MAX_BYTES
    assert [(number, line is None) for number, line in read_lines(io.BytesIO(content))] == [
        (1, False),
        (2, True),
        (3, False),
        (4, False),
    ]


@given(st.integers(0, 7000), st.binary(min_size=1, max_size=200))
@settings(max_examples=60)
def test_a_damaged_database(place: int, damage: bytes) -> None:
    content = bytearray(gzip.decompress((SAMPLES / "pocketbase.db.gz").read_bytes()))
    content[place : place + len(damage)] = damage
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        opened: BinaryIO = io.BytesIO()
        with suppress(FileRefused):
            for record in reader_of("pocketbase")(opened, Path(file.name)):
                check(record, ROW, keep_ids=False)
