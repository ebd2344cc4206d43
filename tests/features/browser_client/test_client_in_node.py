"""client.js where there is no page: in Node, as servers that render pages and test runners load it."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import latchkey
from tests.kit.server import Server

SOURCE = Path(latchkey.__file__).parent / "features" / "browser_client" / "client.js"
END_SECONDS = 60.0
NO_BASE = "createClient needs an absolute baseUrl here, such as https://accounts.example.com"
# What test runners with a simulated page leave behind, whatever they make it of.
PAGE = 'globalThis.location = new URL("http://localhost:5173/account");'
OPTIONS = ["{}", "{ baseUrl: 'https://accounts.example.com' }", "{ baseUrl: '/accounts' }", "{ baseUrl: 'not a: url' }"]

RunInNode = Callable[..., Any]


@pytest.fixture
def run_in_node(require: Callable[[str], str], tmp_path: Path) -> RunInNode:
    """Runs a script beside a copy of client.js; the value that it gives `show`. The process has to end by itself."""
    node = require("node")
    shutil.copy(SOURCE, tmp_path / "client.mjs")

    def run(script: str) -> Any:
        file = tmp_path / "script.mjs"
        file.write_text(f"const show = (value) => console.log(JSON.stringify(value));\n{script}", encoding="utf-8")
        done = subprocess.run([node, file], capture_output=True, text=True, timeout=END_SECONDS, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("options", OPTIONS)
def test_a_client_that_is_not_used_does_nothing(run_in_node: RunInNode, options: str) -> None:
    """Modules that make one at their top can be imported anywhere: it reads no page, and neither opens nor starts
    anything."""
    touched, started = run_in_node(f"""
        const touched = [];
        for (const name of ["location", "navigator", "localStorage", "document", "window", "BroadcastChannel", "fetch"])
          Object.defineProperty(globalThis, name, {{ get: () => void touched.push(name), configurable: true }});
        const before = process.getActiveResourcesInfo().length;
        const {{ createClient }} = await import("./client.mjs");
        createClient({options});
        show([touched, process.getActiveResourcesInfo().length - before]);
    """)
    assert (touched, started) == ([], 0)


@pytest.mark.parametrize("page", [PAGE, 'globalThis.location = new URL("about:blank");', ""])
@pytest.mark.parametrize("options", OPTIONS)
def test_no_process_is_kept_running(run_in_node: RunInNode, page: str, options: str) -> None:
    """Nor does a listener for signing out keep one, and it can be set where nobody knows yet which Latchkey is meant."""
    assert (
        run_in_node(f"""
        {page}
        const {{ createClient }} = await import("./client.mjs");
        const stop = createClient({options}).onSignedOut(() => {{}});
        show(typeof stop);
    """)
        == "function"
    )


@pytest.mark.parametrize(
    ("page", "options"),
    [("", "{{ baseUrl: '{url}' }}"), ('globalThis.location = new URL("{url}/some/page");', "{{ baseUrl: '/' }}")],
    ids=["no page", "relative to a page"],
)
def test_calls_reach_latchkey(run_in_node: RunInNode, server: Server, page: str, options: str) -> None:
    """Given where Latchkey is, it can be asked. Node keeps no cookies, which Latchkey says; no answer keeps the process
    running."""
    assert run_in_node(f"""
        {page.format(url=server.url)}
        const {{ createClient }} = await import("./client.mjs");
        const auth = createClient({options.format(url=server.url)});
        let told = 0;
        auth.onSignedOut(() => told++);
        const errors = (await Promise.allSettled([auth.me(), auth.logout()])).map((call) => call.reason);
        const answer = await auth.fetch("{server.url}/healthz");
        show([...errors.map((error) => error.code), answer.status, told]);
    """) == ["EBADCSRFTOKEN", "EBADCSRFTOKEN", 200, 0]


@pytest.mark.parametrize(
    ("page", "options"),
    [("", "{}"), ("", "{ baseUrl: '/accounts' }"), (PAGE, "{}"), (PAGE, "{ baseUrl: 'ftp://accounts.example.com' }")],
)
def test_not_knowing_where_latchkey_is(run_in_node: RunInNode, page: str, options: str) -> None:
    """A rejected call says so and names the option."""
    assert (
        run_in_node(f"""
        {page}
        const {{ createClient }} = await import("./client.mjs");
        const auth = createClient({options});
        const calls = [auth.me(), auth.login({{}}), auth.logout(), auth.request("GET", "/users"), auth.fetch("/x")];
        const errors = (await Promise.allSettled(calls)).map((call) => call.reason);
        show(errors.map((error) => `${{error.name}}: ${{error.message}}`));
    """)[:4]
        == [f"TypeError: {NO_BASE}"] * 4
    )


@pytest.mark.parametrize(
    ("refusal", "message", "errors"),
    [
        ("{ code: 'VALIDATION_ERROR', message: 'Validation failed', errors: [] }", "Validation failed", 0),
        ("{ code: 'VALIDATION_ERROR', message: 'Validation failed', errors: 'email' }", "Validation failed", 0),
        ("{ code: 'OTHER', message: 'No', errors: [{ field: 'email', message: 'is odd' }] }", "No", 1),
        ("{ code: 'VALIDATION_ERROR', errors: [{ field: 'email', message: 'is odd' }] }", "email: is odd", 1),
        ("'a page of a proxy'", "Unexpected answer 502", 0),
    ],
)
def test_message_of_an_error(run_in_node: RunInNode, refusal: str, message: str, errors: int) -> None:
    """It names the fields where the answer does; something between here and Latchkey may answer anything."""
    assert run_in_node(f"""
        const {{ LatchkeyError }} = await import("./client.mjs");
        const error = new LatchkeyError(502, {refusal});
        show([error.message, error.errors.length]);
    """) == [message, errors]
