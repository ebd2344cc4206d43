"""Chromium, and pages that report their errors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    # Imported by the fixture: this takes a third of a second, and every run imports this module.
    from playwright.sync_api import Browser, Page

REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} refused ${event.blockedURI}`));
"""
# Chromium's message about a fetch that got 400 or more, which these tests ask for.
REFUSED_FETCH = "Failed to load resource: the server responded with a status of 4"


@dataclass
class Tab:
    """A page with an empty jar.

    `problems` holds uncaught errors, CSP violations and console errors of this page, and of every page that the test
    opens in `page.context`.
    """

    page: "Page"
    problems: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def chromium(require: Callable[[str], str]) -> Iterator["Browser"]:
    """Starts the system's Chromium, which resolves *.example.com to this machine.

    Module scope: while Playwright runs, the thread has a running event loop, which blocks asynchronous tests of other
    modules.
    """
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)
    path = require("chromium")
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP *.example.com 127.0.0.1"]
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=arguments)


@pytest.fixture
def tab(chromium: "Browser") -> Iterator[Tab]:
    """Opens a page in a new context. The test fails at its end if the page had a problem."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    # Long, because three browsers on two cores are slow and not wrong.
    context.set_default_timeout(60_000)
    context.add_init_script(REPORT_VIOLATIONS)
    tab = Tab(context.new_page())
    context.on("weberror", lambda error: tab.problems.append(f"uncaught: {error.error}"))
    context.on(
        "console",
        lambda message: (
            tab.problems.append(message.text)
            if message.type == "error" and not message.text.startswith(REFUSED_FETCH)
            else None
        ),
    )
    yield tab
    context.close()
    assert tab.problems == []
