"""Forking servers, and event loops."""

import asyncio
import os
import subprocess
import sys
import uuid
from pathlib import Path
from threading import Event

import pytest
from latchkey_client import Latchkey

from tests.kit.apps import EXAMPLES, GUNICORN, running_app
from tests.kit.issuer import API_KEY, Handler, Issuer, send_json
from tests.kit.waiting import eventually


@pytest.mark.parametrize("preload", [(), ("--preload",)], ids=["each imports", "preload"])
def test_each_process_of_a_forking_server_learns_what_ends(
    issuer: Issuer, tmp_path: Path, preload: tuple[str, ...]
) -> None:
    sid = str(uuid.uuid4())
    headers = {"Authorization": f"Bearer {issuer.token(sid=sid)}", "Connection": "close"}
    variables = {"LATCHKEY_URL": issuer.url, "LATCHKEY_API_KEY": API_KEY}
    server = (*GUNICORN, "--workers", "3", *preload)
    with running_app(EXAMPLES / "flask", server, tmp_path / "log", variables) as app:

        def statuses() -> set[int]:
            return {app.client.get("/notes", headers=headers).status_code for _ in range(30)}

        assert statuses() == {200}
        issuer.end(sid)
        eventually(lambda: statuses() == {401}, "all processes refuse it")


FORK = """
import os, sys, threading, time
from latchkey_client import InvalidToken, Latchkey

auth = Latchkey(sys.argv[1], api_key=sys.argv[2])
good, ended = sys.argv[3:5]
assert auth.verify(good).id == 7
# Another thread of the parent is inside every lock at the moment of the fork.
def hold():
    with auth._keys._lock, auth._endings._lock, auth._genuine._lock:
        held.set()
        release.wait(60)
held, release = threading.Event(), threading.Event()
threading.Thread(target=hold, daemon=True).start()
held.wait(60)
if child := os.fork():
    release.set()
    _, status = os.waitpid(child, 0)
    assert auth.verify(good).id == 7
    sys.exit(os.waitstatus_to_exitcode(status))
assert auth.verify(good).id == 7
try:
    auth.verify(ended)
except InvalidToken:
    os._exit(0)
os._exit(1)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_at_the_worst_moment_does_not_hang(issuer: Issuer) -> None:
    sid = str(uuid.uuid4())
    issuer.end(sid)
    arguments = [issuer.url, API_KEY, issuer.token(), issuer.token(sid=sid)]
    subprocess.run([sys.executable, "-c", FORK, *arguments], check=True, timeout=60)
    without_cursor = [path for path in issuer.paths if path.startswith("/revocations") and "since" not in path]
    assert len(without_cursor) == 1, "the child goes on where the parent was"


def test_a_process_ends_though_it_follows(issuer: Issuer) -> None:
    program = (
        "import sys; from latchkey_client import Latchkey as L; L(sys.argv[1], api_key=sys.argv[2]).verify(sys.argv[3])"
    )
    subprocess.run([sys.executable, "-c", program, issuer.url, API_KEY, issuer.token()], check=True, timeout=60)


def answer_slowly(issuer: Issuer) -> tuple[Event, Event]:
    """Lets the JWKS wait. Returns what is set when it was asked for, and what lets it go on."""
    asked, go_on = Event(), Event()

    def slow(request: Handler) -> None:
        asked.set()
        go_on.wait(60)
        send_json(request, {"keys": [key.public for key in issuer.keys]})

    issuer.answer_jwks = slow
    return asked, go_on


def test_the_event_loop_goes_on_while_keys_are_fetched(issuer: Issuer) -> None:
    asked, go_on = answer_slowly(issuer)
    auth = Latchkey(issuer.url)

    async def run() -> list[int]:
        users = [asyncio.create_task(auth.averify(issuer.token())) for _ in range(100)]
        await asyncio.to_thread(asked.wait, 60)
        # This line would not be reached if the loop waited.
        go_on.set()
        return [user.id for user in await asyncio.gather(*users)]

    assert asyncio.run(run()) == [7] * 100
    assert issuer.jwks_requests == 1


def test_a_cancelled_caller_does_not_cancel_the_fetch_of_others(issuer: Issuer) -> None:
    asked, go_on = answer_slowly(issuer)
    auth = Latchkey(issuer.url)

    async def run() -> int:
        impatient = asyncio.create_task(auth.averify(issuer.token()))
        patient = asyncio.create_task(auth.averify(issuer.token()))
        await asyncio.to_thread(asked.wait, 60)
        impatient.cancel()
        await asyncio.wait([impatient])
        go_on.set()
        return (await patient).id

    assert asyncio.run(run()) == 7


def test_event_loops_one_after_another_share_a_latchkey(issuer: Issuer) -> None:
    auth = Latchkey(issuer.url)
    assert [asyncio.run(auth.averify(issuer.token())).id for _ in range(3)] == [7, 7, 7]
    assert issuer.jwks_requests == 1
