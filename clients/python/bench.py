"""Measures what verifying a token costs: `.venv/bin/python bench.py`. Prints CPU microseconds of one thread."""

import platform
import statistics
import time
from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from typing import TypeVar

from latchkey_client import Latchkey
from latchkey_client.incoming import Incoming
from latchkey_client.needs import Needs
from tests.kit.issuer import running_issuer
from tests.kit.signing import new_key

T = TypeVar("T")
TOKENS = 2_000
ROUNDS = 7


def main() -> None:
    """Measures each algorithm: a token's first time, and each further one."""
    print(f"{date.today()}, Python {platform.python_version()}, {platform.machine()}: CPU microseconds a token")  # noqa: DTZ011  # the day of this machine
    for alg in ("ES256", "EdDSA"):
        with running_issuer() as issuer:
            issuer.keys = [new_key(alg)]
            tokens = [issuer.token() for _ in range(TOKENS)]
            first, again, request = [], [], []
            for _ in range(ROUNDS):
                auth = Latchkey(issuer.url)
                # Fetches the keys.
                auth.verify(issuer.token())
                first.append(cost(auth.verify, tokens))
                again.append(cost(auth.verify, tokens))
                request.append(cost(partial(auth.authenticate, needs=Needs()), [*map(asking, tokens)]))
        print(
            f"{alg}: first time {shown(first)}, remembered {shown(again)}, a whole request, remembered {shown(request)}"
        )


def asking(token: str) -> Incoming:
    """A request by bearer token, as an adapter hands it over."""
    headers = {"authorization": [f"Bearer {token}"]}
    return Incoming("GET", lambda name: headers.get(name, []), lambda: "https://app.example.com")


def cost(act: Callable[[T], object], things: Iterable[T]) -> float:
    """Returns the CPU microseconds of one call, on average."""
    began = time.thread_time()
    count = 0
    for thing in things:
        act(thing)
        count += 1
    return (time.thread_time() - began) * 1e6 / count


def shown(costs: list[float]) -> str:
    """Returns the median of the rounds, and their range."""
    return f"{statistics.median(costs):.0f} ({min(costs):.0f}-{max(costs):.0f})"


if __name__ == "__main__":
    main()
