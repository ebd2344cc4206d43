"""How a command fails: one message on standard error that says what to do, and exit code 1."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


def fail(message: str) -> NoReturn:
    """Prints the message and exits with 1."""
    sys.stderr.write(f"latchkey: {message}\n")
    raise SystemExit(1)


@contextmanager
def explained(*expected: type[Exception], about: str = "") -> Iterator[None]:
    """Turns expected exceptions, whose text says what to do, into `fail`; `about` says what it is the text of."""
    try:
        yield
    except expected as error:
        fail(f"{about}: {error}" if about else str(error))
