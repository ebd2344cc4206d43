"""The table of sources: which reader reads what."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from latchkey.features.imports.readers.plain import read_plain
from latchkey.features.imports.record import Record

Reader = Callable[[BinaryIO, Path], Iterator[Record]]
"""Yields the accounts of a file, which is open and has a path."""


def reader_of(source: str | None) -> Reader:
    """Returns the reader of a source; None: of Latchkey's own form."""
    return READERS[source]


READERS: dict[str | None, Reader] = {None: lambda file, _: read_plain(file)}
