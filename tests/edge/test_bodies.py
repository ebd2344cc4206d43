"""Body limits over the wire: 10 240 bytes, counted while they come."""

import json

import pytest

from tests.kit.browser import Browser, new_email, refused
from tests.kit.processes import worker_of
from tests.kit.raw_http import HOST, RawConnection, request
from tests.kit.server import Server

LIMIT = 10_240
TOO_LARGE = (413, "PAYLOAD_TOO_LARGE", "Request body too large")
MEGABYTE = 1_048_576


def _registration_of(size: int) -> bytes:
    body = {"name": "Siam", "email": new_email(), "password": "Secret123!", "unknown": ""}
    body["unknown"] = "x" * (size - len(json.dumps(body)))
    content = json.dumps(body).encode()
    assert len(content) == size
    return content


def _chunked(content: bytes, size: int) -> bytes:
    parts = [content[start : start + size] for start in range(0, len(content), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_the_last_byte_that_fits(browser: Browser) -> None:
    """The limit is 10 240 bytes and not one fewer."""
    response = browser.post(
        "/auth/register", content=_registration_of(LIMIT), headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 201


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x"])
def test_one_byte_more_is_refused_whatever_it_is(browser: Browser, kind: str) -> None:
    """Before the type is looked at, and before anybody is asked who they are."""
    content = _registration_of(LIMIT + 1)
    for path in ("/auth/register", "/auth/change-password", "/auth/logout", "/nowhere"):
        response = browser.post(path, content=content, headers={"Content-Type": kind}, with_csrf=False)
        assert refused(response) == TOO_LARGE
        assert response.headers["connection"] == "close"


def test_get_with_a_body_is_held_to_the_limit_too(browser: Browser) -> None:
    """Routes without a body ignore one, but 413 holds."""
    assert refused(browser.get("/healthz", content=b"x" * (LIMIT + 1))) == TOO_LARGE
    assert browser.get("/healthz", content=b"x" * LIMIT).status_code == 200
    browser.sign_up()
    assert browser.get("/auth/me", content=b"{").status_code == 200


@pytest.mark.parametrize("size", [1, 100, LIMIT])
def test_chunked_body_is_counted_the_same(browser: Browser, size: int) -> None:
    """A body without Content-Length: its bytes count, not its chunks, however they are cut."""
    browser.fetch_csrf()
    for content, status in ((_registration_of(LIMIT), 201), (_registration_of(LIMIT + 1), 413)):
        with RawConnection(browser.server) as connection:
            head = request(
                "POST",
                "/auth/register",
                "Content-Type: application/json",
                "Transfer-Encoding: chunked",
                f"X-CSRF-Token: {browser.csrf}",
                f"Cookie: _csrf={browser.cookies['_csrf']}",
            )
            assert connection.answer(head + _chunked(content, size)).status == status


def test_endless_body_is_cut_off(server: Server) -> None:
    """A chunked body of 10 MB is refused after little more than 10 kB, and takes no memory."""
    worker = worker_of(server)
    before = worker.memory_info().rss
    chunk = b"%x\r\n%s\r\n" % (4096, b"x" * 4096)
    for _ in range(5):
        with RawConnection(server) as connection:
            connection.send(request("POST", "/auth/register", "Transfer-Encoding: chunked"))
            took_all = all(connection.send(chunk) for _ in range(10 * MEGABYTE // 4096))
            assert not took_all, "10 MB were read"
            response = connection.response()
            assert response is None or response.refused == TOO_LARGE[:2]
            assert connection.ended()
    assert worker.memory_info().rss - before < 4 * MEGABYTE


def test_refusal_reaches_a_client_that_has_sent_just_too_much(server: Server) -> None:
    """The answer comes while the client is still sending, not after the rest that it announces."""
    with RawConnection(server) as connection:
        connection.send(request("POST", "/auth/register", "Transfer-Encoding: chunked"))
        response = connection.answer(b"%x\r\n%s" % (MEGABYTE, b"x" * (LIMIT + 1)))
        assert response.refused == TOO_LARGE[:2]
        assert connection.ended()


def test_announced_megabyte_is_refused_unread(server: Server) -> None:
    """A client that asks first is never told to go on, and need not send anything to be refused."""
    with RawConnection(server) as connection:
        response = connection.answer(
            request("POST", "/auth/register", f"Content-Length: {MEGABYTE}", "Expect: 100-continue")
        )
        assert response.refused == TOO_LARGE[:2]
        assert connection.ended()


def test_body_that_is_asked_for_first(server: Server) -> None:
    """curl sends Expect with larger bodies and waits for its 100 before it goes on."""
    with RawConnection(server) as connection:
        head = request("POST", "/auth/register", "Content-Length: 2", "Expect: 100-continue")
        assert connection.answer(head).status == 100
        assert connection.answer(b"{}").refused == (403, "EBADCSRFTOKEN")


@pytest.mark.parametrize("framing", ["Content-Length: 10", "Transfer-Encoding: chunked"])
def test_client_that_hangs_up_halfway(server: Server, framing: str) -> None:
    """What was cut off is never taken for the whole, although it may be good JSON."""
    with RawConnection(server) as connection:
        connection.send(request("POST", "/auth/register", framing) + (b"{}" if "10" in framing else b"2\r\n{}\r\n"))
        connection.send_end()
        response = connection.response()
        assert response is None or response.refused == (400, "INVALID_REQUEST")
        assert connection.ended()


def test_bytes_behind_a_body_are_the_next_request(server: Server) -> None:
    """A body ends where its length says, even if nobody wanted it: the next request is read from there."""
    with RawConnection(server) as connection:
        get = b"GET /healthz HTTP/1.1\r\n" + HOST
        assert connection.answer(get + b"Content-Length: 3\r\n\r\nGET" + get + b"\r\n").status == 200
        following = connection.response()
        assert following is not None
        assert following.json()["message"] == "OK"
