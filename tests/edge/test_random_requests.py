"""Bad requests by the hundred: random mutations of valid ones, the same in every run."""

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from tests.kit import plain_http
from tests.kit.browser import Browser
from tests.kit.routes import CSRF_TOKEN, GET, LIST, ME, UNSAFE, WITH_BODY

ROUTES = (CSRF_TOKEN, ME, LIST, GET, *UNSAFE, *WITH_BODY, *WITH_BODY)
REQUESTS_A_SEED = 100
PER_USER = 10
PIECES = (
    b"\0", b"\n", b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b'"', b"\\", b"\\ud800", b"\\u0000", b"{", b"}", b"[", b"]",
    b",", b":", b"null", b"true", b"1e999", b"-0", b"NaN", b"9" * 400, b"[" * 300, b"'; --", "😀".encode(), b"A" * 2000,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 1e308, 2**70, "", " ", "\0", "\ud800", "x" * 1100, "😀" * 101, "a@b", [], [1], {}, {"a": {}},
)  # fmt: skip
SEGMENTS = ("", ".", "..", "%00", "%2F", "%0A", "%FF", "0", "-1", "2147483648", "9" * 60, "restore", "users", "é")
HEADERS = (
    ("Content-Type", "text/plain"), ("Content-Type", "application/json; charset=utf-16"), ("Content-Type", ""),
    ("Content-Encoding", "gzip"), ("Origin", "null"), ("Origin", "https://evil.test"), ("Origin", ":"),
    ("Sec-Fetch-Site", "cross-site"), ("X-CSRF-Token", ""), ("csrf-token", "x.y"), ("Cookie", "accessToken=x.y.z"),
    ("Cookie", "accessToken=a; accessToken=b"), ("Cookie", ";;=;,"), ("X-Forwarded-For", "1.2.3.4, ::1, x"),
    ("Host", "a/b"), ("Host", ""), ("User-Agent", ""), ("If-None-Match", "*"), ("Range", "bytes=0-1"),
    ("X-HTTP-Method-Override", "DELETE"), ("Accept", "text/html"), ("Authorization", "Bearer x"),
)  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """A request under mutation."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Mutation = Callable[[random.Random, Draft], Draft]


def change_bytes(rng: random.Random, draft: Draft) -> Draft:
    """Puts something into the body, or takes something out."""
    start = rng.randrange(len(draft.body) + 1)
    end = rng.randrange(start, min(len(draft.body), start + 8) + 1)
    return replace(draft, body=draft.body[:start] + rng.choice(PIECES) + draft.body[end:])


def change_value(rng: random.Random, draft: Draft) -> Draft:
    """Gives a field a value that it must not have, or adds a field."""
    try:
        fields = dict(json.loads(draft.body))
    except (ValueError, TypeError):
        return change_bytes(rng, draft)
    fields[rng.choice([*fields, "id", "__proto__", "\ud800", ""])] = rng.choice(VALUES)
    return replace(draft, body=json.dumps(fields).encode())


def change_path(rng: random.Random, draft: Draft) -> Draft:
    """Replaces or adds a segment, or a query."""
    segments = draft.path.split("/")
    segments[rng.randrange(1, len(segments))] = rng.choice(SEGMENTS)
    query = rng.choice(["", "?page=%00", "?limit=&limit=", "?page=1e3", "?%", "?" + "a=b&" * 300])
    return replace(draft, path="/" + "/".join(segments[1:]) + query)


def change_method(rng: random.Random, draft: Draft) -> Draft:
    """Any method, sensible or not."""
    return replace(draft, method=rng.choice(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "FOO"]))


def change_header(rng: random.Random, draft: Draft) -> Draft:
    """Adds a header, or replaces one that mattered."""
    name, value = rng.choice(HEADERS)
    return replace(draft, headers=draft.headers | {name: value})


MUTATIONS: tuple[Mutation, ...] = (change_path, change_method, change_header) + (change_bytes, change_value) * 3


def bad_request(rng: random.Random, user_id: int) -> Draft:
    """A valid request with one or two things wrong with it."""
    route = rng.choice(ROUTES)
    draft = Draft(route.method, route.path.format(id=user_id))
    if route.body is not None:
        fields = route.body()
        if "email" in fields:
            # Of the same length in every run, so that the mutations fall on the same places.
            fields["email"] = f"random{rng.randrange(10**9):09}@example.com"
        draft = replace(draft, body=json.dumps(fields).encode(), headers={"Content-Type": "application/json"})
    for _ in range(rng.randint(1, 2)):
        draft = rng.choice(MUTATIONS)(rng, draft)
    return draft


def checked_status(draft: Draft, response: httpx.Response) -> int:
    """The status of an answer that is never a 5xx and always the envelope, with nothing of ours showing through."""
    about = f"{draft}\n{response.status_code} {response.text}"
    assert response.status_code < 500, about
    assert response.headers["x-content-type-options"] == "nosniff", about
    if response.headers.get("content-type", "").startswith("text/html"):
        assert (response.request.url.path, response.status_code) == ("/", 200), about
    elif response.content:
        body = response.json()
        assert body.keys() == {"csrfToken"} or body["success"] is (response.status_code < 300), about
    else:
        assert draft.method in {"HEAD", "OPTIONS"}, about
    assert "Traceback" not in response.text, about
    assert "asyncpg" not in response.text, about
    return response.status_code


@pytest.mark.parametrize("seed", range(8))
def test_bad_requests_are_refused_in_good_order(open_browser: Callable[[], Browser], seed: int) -> None:
    """Whatever is sent, the server answers like itself and goes on; the statuses show that it was really tried."""
    rng = random.Random(seed)
    statuses: Counter[int] = Counter()
    with plain_http.client(base_url=open_browser().server.url, timeout=10) as client:
        for _ in range(REQUESTS_A_SEED // PER_USER):
            browser = open_browser()
            user = browser.sign_up()
            cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
            valid = {"Cookie": cookies, "X-CSRF-Token": browser.csrf or ""}
            for _ in range(PER_USER):
                draft = bad_request(rng, user["id"])
                client.cookies.clear()
                request = client.build_request(
                    draft.method, draft.path, content=draft.body or None, headers=_bytes(valid | draft.headers)
                )
                statuses[checked_status(draft, client.send(request))] += 1
        assert client.get("/readyz").status_code == 200
    assert len(statuses) >= 5, statuses
    assert statuses[400] > REQUESTS_A_SEED // 10, statuses


def _bytes(headers: dict[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in headers.items()}
