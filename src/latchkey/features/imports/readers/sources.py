"""The table of sources: which reader reads what."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from latchkey.features.imports.readers.auth0 import read_auth0
from latchkey.features.imports.readers.django import read_django
from latchkey.features.imports.readers.keycloak import read_keycloak
from latchkey.features.imports.readers.node_api_postgres import read_node_api_postgres
from latchkey.features.imports.readers.plain import read_plain
from latchkey.features.imports.readers.pocketbase import read_pocketbase
from latchkey.features.imports.readers.supabase import read_supabase
from latchkey.features.imports.record import Record

Reader = Callable[[BinaryIO, Path], Iterator[Record]]
"""Yields the accounts of a file, which is open and has a path."""

READERS: dict[str, Reader] = {
    "auth0": read_auth0,
    "supabase": read_supabase,
    "django": read_django,
    "keycloak": read_keycloak,
    "pocketbase": read_pocketbase,
    "node-api-postgres": read_node_api_postgres,
}


def reader_of(source: str | None) -> Reader:
    """Returns the reader of a source; None: of Latchkey's own form."""
    return read_plain if source is None else READERS[source]
