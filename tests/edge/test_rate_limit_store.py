"""The rate limit over several processes: one count in Redis or Valkey, and what happens while that is away."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge

from latchkey.clock import Clock, system_clock
from latchkey.counts import Counts, SharedCounts, open_counts
from tests.kit import plain_http
from tests.kit.browser import PASSWORD, Browser, refused
from tests.kit.redis_server import RedisServer
from tests.kit.server import Server

DEADLINE_SECONDS = 10.0
UNAVAILABLE = (503, "SERVICE_UNAVAILABLE", "Service temporarily unavailable")
Start = Callable[..., Server]
OpenBrowser = Callable[..., Browser]


@pytest.fixture
def store(require: Callable[[str], str], tmp_path: Path) -> Iterator[RedisServer]:
    """A running Redis with nothing in it."""
    server = RedisServer(require("redis-server"), tmp_path).start()
    yield server
    server.kill()


@asynccontextmanager
async def shared_counts(store: RedisServer, clock: Clock = system_clock) -> AsyncIterator[Counts]:
    """Those of an instance, with its connections closed in the end."""
    counts = open_counts(f"redis://{store.address}", clock)
    assert isinstance(counts, SharedCounts)
    yield counts
    assert isinstance(counts.storage, RedisStorage)
    assert isinstance(counts.storage.bridge, RedispyBridge)
    await counts.storage.bridge.storage.aclose()


async def test_two_processes_share_one_count(start: Start, store: RedisServer) -> None:
    """Of 200 requests at once exactly 100 pass. One process says redis://, the other valkey://."""
    urls = (f"redis://{store.address}", f"valkey://{store.address}")
    servers = await asyncio.gather(
        *(asyncio.to_thread(start, RATE_LIMIT="100/15 minutes", RATE_LIMIT_STORAGE=url) for url in urls)
    )
    limits = httpx.Limits(max_connections=40)
    async with plain_http.async_client(timeout=30, limits=limits) as client:
        answers = await asyncio.gather(*(client.get(f"{servers[n % 2].url}/users") for n in range(200)))
    assert sorted(answer.status_code for answer in answers) == [401] * 100 + [429] * 100
    for server in servers:
        assert {answer.status_code for answer in answers if str(answer.url).startswith(server.url)} == {401, 429}
    passed = [answer for answer in answers if answer.status_code == 401]
    assert sorted(int(answer.headers["ratelimit-remaining"]) for answer in passed) == list(range(100))
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {"100;w=900"}
    assert all(840 < int(answer.headers["ratelimit-reset"]) <= 900 for answer in answers)
    with store.client() as client:
        (key,) = client.keys()
        assert 840 < client.ttl(key) <= 900, "a key without an end would lock its client out for good"


async def test_a_hit_is_one_trip(store: RedisServer) -> None:
    """Each asks once when a client's window ends, and both say the same."""
    async with shared_counts(store) as one, shared_counts(store) as other:
        ends = [await (one, other)[number % 2].hit("key", 900) for number in range(20)]
    assert [count for count, _ in ends] == list(range(1, 21))
    assert max(end for _, end in ends) - min(end for _, end in ends) < 1.5
    with store.client() as client:
        assert client.info("commandstats")["cmdstat_ttl"]["calls"] == 1, "the first hit knows, the other instance asks"


async def test_a_new_window(store: RedisServer) -> None:
    """What was remembered of a window ends with it."""
    now = time.time()
    async with shared_counts(store, lambda: now) as counts:
        assert await counts.hit("key", 900) == (1, now + 900)
        with store.client() as client:
            client.flushall()
        assert await counts.hit("key", 60) == (1, now + 60)
        now += 60
        count, ends_at = await counts.hit("key", 60)
    assert count == 2, "the store has a clock of its own"
    assert abs(ends_at - now) < 2, "asked again"


def test_passwords_while_the_store_is_away(start: Start, store: RedisServer, open_browser: OpenBrowser) -> None:
    browser = open_browser(start(RATE_LIMIT_STORAGE=f"redis://{store.address}"))
    user = browser.sign_up()
    store.kill()
    change = {"currentPassword": PASSWORD, "newPassword": "Changed456!"}
    assert refused(browser.post("/auth/change-password", change)) == UNAVAILABLE
    assert browser.get("/auth/me").status_code == 200
    browser.post("/auth/forgot-password", {"email": user["email"]})
    reset = {"token": browser.server.reset_token_mailed_to(user["email"]), "newPassword": "Changed456!"}
    assert browser.post("/auth/reset-password", reset).status_code == 200


def test_restart_does_not_reset_a_running_window(start: Start, store: RedisServer, open_browser: OpenBrowser) -> None:
    """A crash, or a deployment, gives nobody a new count."""
    settings = {"RATE_LIMIT": "5/15 minutes", "RATE_LIMIT_STORAGE": f"redis+unix://{store.socket}"}
    browser = open_browser(start(**settings))
    assert [browser.get("/users").status_code for _ in range(6)] == [401] * 5 + [429]
    browser.server.kill()
    assert open_browser(start(**settings)).get("/users").status_code == 429


def test_store_that_is_away(start: Start, store: RedisServer, open_browser: OpenBrowser) -> None:
    """Logins, which the limit protects from guessing, are refused; all else goes on. It recovers by itself."""
    browser = open_browser(start(RATE_LIMIT="1000/15 minutes", RATE_LIMIT_STORAGE=f"redis://{store.address}"))
    user = browser.sign_up()
    store.kill()
    for _ in range(2):
        refusal = browser.login(user["email"])
        assert refused(refusal) == UNAVAILABLE
        assert refusal.headers["retry-after"] == "2"
        assert browser.set_cookies == []
    me = browser.get("/auth/me")
    assert me.status_code == 200
    assert "ratelimit-remaining" not in me.headers
    assert browser.patch(f"/users/{user['id']}", {"name": "Still here"}).status_code == 200
    assert browser.post("/auth/refresh-token").status_code == 200
    log = browser.server.printed()
    assert log.count("rate limit's store cannot be reached") == 1, "one line for the fault, not one for each request"
    assert "Traceback" not in log

    store.start()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (answer := browser.login(user["email"])).status_code == 503:
        assert time.monotonic() < deadline, "logins stay refused"
        time.sleep(0.05)
    assert answer.status_code == 200
    assert int(answer.headers["ratelimit-remaining"]) < 1000


def test_store_that_hangs(start: Start, store: RedisServer, open_browser: OpenBrowser) -> None:
    """A Redis that takes connections and says nothing is away too: it must not hold every request for ever."""
    browser = open_browser(start(RATE_LIMIT="1000/15 minutes", RATE_LIMIT_STORAGE=f"redis://{store.address}"))
    user = browser.sign_up()
    with store.client() as client:
        client.client_pause(60_000, all=True)
    began = time.monotonic()
    assert refused(browser.login(user["email"])) == UNAVAILABLE
    assert time.monotonic() - began < DEADLINE_SECONDS / 2
    assert browser.get("/healthz").status_code == 200


def test_failed_logins_are_counted_together(start: Start, store: RedisServer, open_browser: OpenBrowser) -> None:
    """What failed at one slows the other, the store holds no address, and
    nothing in it stays for ever."""
    url = f"redis://{store.address}"
    first, second = (open_browser(start(RATE_LIMIT_STORAGE=url)) for _ in range(2))
    owner = open_browser(first.server)
    user = owner.sign_up()
    for number in range(5):
        assert (first, second)[number % 2].login(user["email"], "Wrong-password1").status_code == 401
    for stranger in (first, second):
        assert refused(stranger.login(user["email"]))[:2] == (429, "TOO_MANY_ATTEMPTS")
    assert owner.login(user["email"]).status_code == 200
    with store.client() as client:
        keys = client.keys()
        assert len([key for key in keys if "address" not in key]) == 1
        assert all(0 < client.ttl(key) <= 3600 for key in keys)
        assert user["email"] not in str(keys)
