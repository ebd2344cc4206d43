"""How a command fails: it prints one message that says what to do, and exits with code 1."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


def fail(message: str) -> NoReturn:
    """Prints the message to standard error and exits with 1."""
    sys.stderr.write(f"latchkey: {message}\n")
    raise SystemExit(1)


@contextmanager
def explained(*expected: type[Exception], about: str = "") -> Iterator[None]:
    """Turns expected exceptions into `fail` with their text. `about` introduces the text."""
    try:
        yield
    except expected as error:
        fail(f"{about}: {error}" if about else str(error))
