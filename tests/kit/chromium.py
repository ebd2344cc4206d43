"""Chromium, and pages that tell what went wrong in them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    # Loaded by the fixture: it takes a third of a second, and every run reads this module.
    from playwright.sync_api import Browser, Page

REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} refused ${event.blockedURI}`));
"""
# Chromium's own word on a fetch that was answered with 400 or more, which tests here ask for.
REFUSED_FETCH = "Failed to load resource: the server responded with a status of 4"


@dataclass
class Tab:
    """One page of a browser with an empty jar; `problems`: uncaught errors, CSP violations and console errors of it and
    of every page that the test opens beside it in `page.context`."""

    page: "Page"
    problems: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def chromium(require: Callable[[str], str]) -> Iterator["Browser"]:
    """The system's Chromium, to which *.example.com is this machine. Of a module: while Playwright runs, the thread has a
    running event loop, in which no asynchronous test of another module could run."""
    from playwright.sync_api import sync_playwright

    path = require("chromium")
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP *.example.com 127.0.0.1"]
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=arguments)


@pytest.fixture
def tab(chromium: "Browser") -> Iterator[Tab]:
    """A page in a context of its own. The test fails at its end if the page had a problem."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
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
