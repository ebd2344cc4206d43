"""Reads the objects of one large JSON array, one at a time."""

import codecs
import json
from collections.abc import Iterator
from itertools import count
from typing import Any, BinaryIO

from latchkey.features.imports.readers.lines import BOM, LINE_MAX_BYTES, NO_OBJECT
from latchkey.features.imports.record import FileRefused

CHUNK_BYTES = 64 * 1024
WHITE_SPACE = " \t\r\n"


def read_json_array(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | None, str]]:
    """Yields each object with its place in the array, from 1. Without an object, the text says why.

    Raises FileRefused if the file is not a whole JSON array.
    """
    decode = json.JSONDecoder().raw_decode
    text = _Text(file)
    text.skip("[")
    for number in count(1):
        if text.next_is("]"):
            return
        if number > 1:
            text.skip(",")
        value = text.take(decode)
        yield (number, value, "") if isinstance(value, dict) else (number, None, NO_OBJECT)


class _Text:
    """The text of a file, of which only what is not read yet is kept."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._place = 0
        self._add(self._file.read(CHUNK_BYTES).removeprefix(BOM))

    def next_is(self, character: str) -> bool:
        """Tells whether that is the next character after white space."""
        while True:
            while self._place < len(self._text) and self._text[self._place] in WHITE_SPACE:
                self._place += 1
            if self._place < len(self._text):
                return self._text[self._place] == character
            if not self._add(self._file.read(CHUNK_BYTES)):
                raise FileRefused("the JSON array ends too early: the file is not whole")

    def skip(self, character: str) -> None:
        if not self.next_is(character):
            raise FileRefused(f"the file is not a JSON array: {character!r} is missing")
        self._place += 1

    def take(self, decode: Any) -> Any:
        """Returns the next value."""
        self.next_is("")
        while True:
            try:
                value, end = decode(self._text, self._place)
            except (ValueError, RecursionError):
                if len(self._text) - self._place > LINE_MAX_BYTES or not self._add(self._file.read(CHUNK_BYTES)):
                    raise FileRefused("the file is not JSON, or is not whole, or holds a very large object") from None
                continue
            # A number may go on in what is not read yet. Nothing but objects is of use.
            self._place = end
            return value

    def _add(self, more: bytes) -> bool:
        self._text = self._text[self._place :] + self._decode.decode(more, final=not more)
        self._place = 0
        return bool(more)
