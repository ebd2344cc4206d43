"""Reads the rows of a table in a dump that pg_dump wrote: COPY or INSERT."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from latchkey.features.imports.readers.lines import LINE_MAX_BYTES, TOO_LONG, read_lines
from latchkey.features.imports.record import FileRefused

Row = tuple[int, dict[str, str | None] | None, str]
"""The number of the row's first line, and its values by column, as text; without values, the text says why."""

_NAME = r'(?:"[^"]+"|[A-Za-z_][A-Za-z0-9_$]*)'
_COPY = re.compile(rf"COPY ({_NAME}(?:\.{_NAME})?) \((.+)\) FROM stdin;\s*")
_INSERT = re.compile(rf"INSERT INTO ({_NAME}(?:\.{_NAME})?) \((.+?)\) (?:OVERRIDING SYSTEM VALUE )?VALUES\s*")
# A value, and what stands after it in its row. A cast says nothing that we need.
_VALUE = re.compile(
    r"\s*(?:(?P<null>NULL)|(?P<word>true|false|-?[0-9.]+(?:e[+-]?[0-9]+)?)|'(?P<text>(?:[^']|'')*)'"
    r"|E'(?P<escaped>(?:[^'\\]|''|\\.)*)')(?:::[A-Za-z0-9_. \"\[\]]+)?\s*(?P<after>[,)])",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def read_dump(file: BinaryIO, *tables: str) -> Iterator[Row]:
    """Yields the rows of the first of these tables that the dump has data of.

    Raises FileRefused if it has none, or ends within one.
    """
    lines = read_lines(file)
    found = False
    for number, line in lines:
        text = _decoded(line)
        if text is None or not text.startswith(("COPY ", "INSERT ")):
            continue
        if (matched := _COPY.fullmatch(text)) and _plain(matched[1]) in tables:
            found = True
            yield from _copied(lines, _columns(matched[2]))
        elif (matched := _INSERT.match(text)) and _plain(matched[1]) in tables:
            found = True
            yield from _inserted(number, text[matched.end() :], lines, _columns(matched[2]))
    if not found:
        raise FileRefused(
            f"the dump has no data of the table {tables[0]}, as COPY or as INSERT with the names of its columns"
        )


def _copied(lines: Iterator[tuple[int, bytes | None]], columns: list[str]) -> Iterator[Row]:
    for number, line in lines:
        text = _decoded(line)
        if text is None:
            yield number, None, TOO_LONG
            continue
        text = text.removesuffix("\n").removesuffix("\r")
        if text == "\\.":
            return
        cells = text.split("\t")
        if len(cells) != len(columns):
            yield number, None, f"has {len(cells)} columns, and the table has {len(columns)}"
            continue
        values = (None if cell == "\\N" else _unescaped(cell) for cell in cells)
        yield number, dict(zip(columns, values, strict=True)), ""
    raise FileRefused("the dump ends within the table: it is not whole")


def _inserted(number: int, text: str, lines: Iterator[tuple[int, bytes | None]], columns: list[str]) -> Iterator[Row]:
    """Yields the rows of one INSERT. `text` is what stands behind VALUES on line `number`."""
    while True:
        text = text.lstrip(", \t\r\n")
        if text.startswith(";"):
            return
        if not text:
            number, text = _more(lines)
            continue
        first, read = number, _values(text)
        while read is None:
            # A value may hold line breaks.
            if len(text) > LINE_MAX_BYTES or not text.startswith("("):
                raise FileRefused(f"line {first} of the dump cannot be read as a row of INSERT")
            number, more = _more(lines)
            text += more
            read = _values(text)
        values, end = read
        text = text[end:]
        if len(values) != len(columns):
            yield first, None, f"has {len(values)} values, and the INSERT has {len(columns)} columns"
        else:
            yield first, dict(zip(columns, values, strict=True)), ""


def _values(text: str) -> tuple[list[str | None], int] | None:
    """Returns the values of the row at the start of the text, and where it ends; None if it goes on."""
    values: list[str | None] = []
    place = 1
    while text.startswith("(") and (matched := _VALUE.match(text, place)):
        values.append(_value(matched))
        place = matched.end()
        if matched["after"] == ")":
            return values, place
    return None


def _value(matched: re.Match[str]) -> str | None:
    if matched["null"]:
        return None
    if matched["word"] is not None:
        return matched["word"]
    if matched["text"] is not None:
        return matched["text"].replace("''", "'")
    return _unescaped(matched["escaped"].replace("''", "'"))


def _more(lines: Iterator[tuple[int, bytes | None]]) -> tuple[int, str]:
    for number, line in lines:
        text = _decoded(line)
        if text is None:
            raise FileRefused(f"line {number} of the dump {TOO_LONG}")
        return number, text
    raise FileRefused("the dump ends within an INSERT: it is not whole")


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(matched: re.Match[str]) -> str:
    code = matched[1]
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8))
    return _ESCAPED.get(code, code)


def _decoded(line: bytes | None) -> str | None:
    return None if line is None else line.decode("utf-8", "surrogateescape")


def _plain(name: str) -> str:
    return name.replace('"', "")


def _columns(text: str) -> list[str]:
    return [_plain(column.strip()) for column in text.split(",")]
