"""How fast an ended session is refused on another instance: `make measure-revocation`.

Two server processes on one PostgreSQL of their own. Each of the sessions is ended by a logout on the first, while the
second is asked without a pause whether its access token is still accepted.
"""

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from tests.kit.own_postgres import OwnPostgres, own_postgres
from tests.kit.server import ONE_INSTALLATION, start_server

ENDINGS = 1_000
REQUESTS = 500
BOUND_SECONDS = 2.0
# Refused right after the question who is asking, without any database: 400 means that the token was accepted.
ASKS_ONLY_WHO = "/users/x"
ACCEPTED, REFUSED = 400, 401
ACCOUNT = {"name": "Measured", "email": "measured@example.com", "password": "Secret123!"}


class Endings:
    """What was measured: for each ending the seconds until the other instance refused, from two moments on."""

    def __init__(self) -> None:
        self.from_sending: list[float] = []
        self.from_acknowledgement: list[float] = []
        self.too_late = 0


async def log_out_and_ask(near: httpx.AsyncClient, far: httpx.AsyncClient, jar: dict[str, str], to: Endings) -> None:
    """Ends one session on `near` and asks `far` until it refuses."""
    access = {"Cookie": f"accessToken={jar['accessToken']}"}
    assert (await far.get(ASKS_ONLY_WHO, headers=access)).status_code == ACCEPTED
    sent = time.perf_counter()
    logout = asyncio.create_task(near.post("/auth/logout", headers=cookies(jar)))
    acknowledged: list[float] = []
    logout.add_done_callback(lambda _: acknowledged.append(time.perf_counter()))
    while True:
        asked = time.perf_counter()
        answer = await far.get(ASKS_ONLY_WHO, headers=access)
        if answer.status_code == REFUSED:
            break
        to.too_late += bool(acknowledged) and asked - acknowledged[0] > BOUND_SECONDS
    refused = time.perf_counter()
    assert (await logout).status_code == 200
    await asyncio.sleep(0)
    to.from_sending.append(refused - sent)
    to.from_acknowledgement.append(max(0.0, refused - acknowledged[0]))


def cookies(jar: dict[str, str]) -> dict[str, str]:
    """The Cookie header of a jar."""
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}


async def measure(near_url: str, far_url: str, postgres: OwnPostgres) -> None:
    """Measures and prints."""
    async with httpx.AsyncClient(base_url=near_url) as near, httpx.AsyncClient(base_url=far_url) as far:
        csrf = await near.get("/auth/csrf-token")
        near.headers["X-CSRF-Token"] = csrf.json()["csrfToken"]
        start = dict(csrf.cookies)
        near.cookies.clear()
        assert (await near.post("/auth/register", json=ACCOUNT, headers=cookies(start))).status_code == 201
        endings = Endings()
        jar = start
        for _ in range(ENDINGS):
            login = await near.post("/auth/login", json=ACCOUNT, headers=cookies(start))
            jar = start | dict(login.cookies)
            near.cookies.clear()
            await log_out_and_ask(near, far, jar, endings)
            near.cookies.clear()
        assert (await far.get(ASKS_ONLY_WHO, headers=cookies(jar))).status_code == REFUSED

        login = await near.post("/auth/login", json=ACCOUNT, headers=cookies(start))
        headers = cookies(dict(login.cookies))
        with postgres.logging_statements() as made:
            for _ in range(REQUESTS):
                assert (await far.get("/auth/me", headers=headers)).status_code == 200
    print_figures(endings, len(made) / REQUESTS)


def print_figures(endings: Endings, statements: float) -> None:
    """Prints what was measured."""
    print(f"{ENDINGS} sessions ended on one instance, {os.cpu_count()} cores, PostgreSQL on the same machine")
    print("ms until the other instance refused      median      p99  maximum")
    for since, seconds in (
        ("the logout was acknowledged", endings.from_acknowledgement),
        ("just before the logout was sent", endings.from_sending),
    ):
        median, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[-1]
        print(f"  since {since:<32} {median * 1e3:8.1f} {p99 * 1e3:8.1f} {max(seconds) * 1e3:8.1f}")
    print(f"accepted more than {BOUND_SECONDS:g} s after the acknowledgement: {endings.too_late}")
    print(f"statements for each GET /auth/me of a healthy instance: {statements:g} (its own SELECT is 1)")


def main() -> None:
    """Starts PostgreSQL and both instances, measures, and stops them."""
    with own_postgres() as postgres, tempfile.TemporaryDirectory() as directory:
        servers = [start_server(postgres.dsn, Path(directory), **ONE_INSTALLATION) for _ in range(2)]
        try:
            asyncio.run(measure(servers[0].url, servers[1].url, postgres))
        finally:
            for server in servers:
                server.stop()


if __name__ == "__main__":
    main()
