"""Admins who act on each other at the same time: one usable admin is always left."""

from collections.abc import Callable
from functools import partial
from itertools import product

import httpx

from tests.kit.admins import sign_in_admin
from tests.kit.browser import Browser
from tests.kit.racing import together
from tests.kit.server import ONE_INSTALLATION, Server
from tests.kit.stored import Sql

Open = Callable[..., Browser]
ROUNDS = 3
ACTS: dict[str, Callable[[Browser, int], httpx.Response]] = {
    "demote": lambda browser, other: browser.patch(f"/admin/users/{other}", {"role": "user"}),
    "suspend": lambda browser, other: browser.post(f"/admin/users/{other}/suspend", {"reason": "Race"}),
    "delete": lambda browser, other: browser.delete(f"/admin/users/{other}"),
}


def test_two_admins_against_each_other(start: Callable[..., Server], open_browser: Open, own_sql: Sql) -> None:
    """On two instances. One of them wins, and stays; the other is refused, or both are."""
    servers = [start(**ONE_INSTALLATION) for _ in range(2)]
    for first, second in [*product(ACTS, ACTS)] * ROUNDS:
        own_sql.execute("UPDATE users SET role = 'user'")
        browsers = [open_browser(server) for server in servers]
        ids = [sign_in_admin(browser, own_sql) for browser in browsers]
        answers = together(
            [
                partial(ACTS[first], browsers[0], ids[1]),
                partial(ACTS[second], browsers[1], ids[0]),
            ]
        )
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses[0] == 200, (first, second, statuses)
        assert statuses[1] in {401, 403, 404}, (first, second, statuses)
        usable = own_sql.execute(
            "SELECT count(*) AS usable FROM users WHERE role = 'admin' AND NOT is_deleted AND suspended_at IS NULL"
        ).fetchone()
        assert usable == {"usable": 1}
        for browser in browsers:
            browser.close()
