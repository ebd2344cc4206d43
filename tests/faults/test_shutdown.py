"""SIGTERM: what was begun is finished, what was acknowledged is kept, and nobody can hold up the end for ever."""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack

import psycopg

from tests.kit.browser import PASSWORD, Browser, new_email, refused
from tests.kit.raw_http import RawConnection
from tests.kit.server import Server
from tests.kit.stored import audited, users_with

GRACE_SECONDS = 10.0
MAILS = 10
HEAD = b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\n"
STALLED = [
    b"GET /health",
    HEAD + b"X-Half: ",
    HEAD + b'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"email":',
]


def test_slow_requests_are_finished(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    """Everything that runs is answered as if nothing was, the answers
    are true, and the exit code says that all is well."""
    server = start(BCRYPT_ROUNDS="12")
    user = open_browser(server).register()
    emails = [new_email() for _ in range(2)]
    browsers = [open_browser(server) for _ in range(4)]
    for each in browsers:
        each.fetch_csrf()
    with ThreadPoolExecutor(len(browsers)) as threads:
        logins = [threads.submit(each.login, user["email"]) for each in browsers[:2]]
        accounts = [{"name": "Siam", "email": email, "password": PASSWORD} for email in emails]
        registrations = [
            threads.submit(each.post, "/auth/register", account)
            for each, account in zip(browsers[2:], accounts, strict=True)
        ]
        # The first answer takes one hash, a quarter of a second: the others have long arrived.
        wait([*logins, *registrations], return_when=FIRST_COMPLETED)
        assert server.stop() == 0
        answers = [each.result() for each in (*logins, *registrations)]
    done = [answer for answer in answers if answer.is_success]
    # On a machine so busy that a hash takes 2 s, those behind the first are told to come back, SIGTERM or not.
    assert len(done) >= 2
    assert all(refused(answer)[:2] == (503, "SERVICE_UNAVAILABLE") for answer in answers if answer not in done)
    with psycopg.connect(server.dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
        for email, answer in zip(emails, answers[2:], strict=True):
            ids = users_with(sql, email)
            assert len(ids) == (answer in done)
            assert audited(sql, answer) == [("CREATE_USER", id, id) for id in ids]
        for answer in answers[:2]:
            assert audited(sql, answer) == [("LOGIN", user["id"], user["id"])] * (answer in done)


def test_stalled_clients_do_not_hold_it_up(start: Callable[..., Server]) -> None:
    """The server
    ends within the grace, and well."""
    server = start()
    with ExitStack() as stack:
        for sent in STALLED:
            stack.enter_context(RawConnection(server)).send(sent)
        # By the time a later connection is answered the server has taken those in, too.
        idle = stack.enter_context(RawConnection(server))
        assert idle.answer(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < GRACE_SECONDS + 3


def test_acknowledged_mails_are_not_lost(start: Callable[..., Server], open_browser: Callable[..., Browser]) -> None:
    """It is sent before the end, or waits in the outbox for the next start."""
    server = start()
    browsers = [open_browser(server) for _ in range(MAILS)]
    emails = [each.register()["email"] for each in browsers]
    with ThreadPoolExecutor(MAILS) as threads:
        asked = [
            threads.submit(each.post, "/auth/forgot-password", {"email": email})
            for each, email in zip(browsers, emails, strict=True)
        ]
        assert [answer.result().status_code for answer in asked] == [200] * MAILS
    assert server.stop() == 0
    with psycopg.connect(server.dsn) as connection:
        waiting = [row[0] for row in connection.execute("SELECT recipient FROM mail_outbox WHERE sent_at IS NULL")]
    sent = [email for email in emails if f"To: {email}\n" in server.printed()]
    assert sorted(sent + waiting) == sorted(emails)
