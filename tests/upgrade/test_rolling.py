"""A rolling upgrade: this release migrates the database that the previous one serves, then both serve it."""

from collections.abc import Callable

import pytest

from tests.kit.browser import Browser
from tests.kit.releases import Release, mailed_token
from tests.kit.smtp_server import SmtpServer
from tests.kit.waiting import eventually

NEW_PASSWORD = "Changed456!"


@pytest.mark.parametrize("first", ["previous", "this"])
def test_both_releases_serve_the_same_users(
    releases: tuple[Release, Release], browse: Callable[..., Browser], smtp: SmtpServer, first: str
) -> None:
    """What one has done, the other one knows: sessions, rotations, endings, passwords, deletions."""
    old, new = releases
    old.command("migrate")
    before = old.serve()
    early = browse(before, previous=True)
    early_user = early.sign_up()
    new.command("migrate")
    after = new.serve()

    def at(name: str, cookies: dict[str, str] | None = None) -> Browser:
        return browse(before, cookies, previous=True) if name == "previous" else browse(after, cookies)

    second = "this" if first == "previous" else "previous"

    # Its connections are older than the migration.
    assert early.get("/auth/me").status_code == 200
    assert at("this", early.cookies).get(f"/users/{early_user['id']}").status_code == 200

    here = at(first)
    user = here.sign_up()
    there = at(second, here.cookies)
    assert there.get("/auth/me").json()["data"]["id"] == user["id"]
    assert there.post("/auth/refresh-token").status_code == 200
    here = at(first, there.cookies)
    assert here.post("/auth/refresh-token").status_code == 200
    there = at(second, here.cookies)
    assert there.patch(f"/users/{user['id']}", {"name": "Siam Ahmed"}).status_code == 200
    assert here.get(f"/users/{user['id']}").json()["data"]["name"] == "Siam Ahmed"

    other_device = at(second)
    assert other_device.login(user["email"]).status_code == 200
    change = {"currentPassword": "Secret123!", "newPassword": NEW_PASSWORD}
    assert here.post("/auth/change-password", change).status_code == 200
    eventually(lambda: other_device.get("/auth/me").status_code == 401, "the other release refuses the ended session")
    assert other_device.login(user["email"]).status_code == 401
    assert other_device.login(user["email"], NEW_PASSWORD).status_code == 200

    assert here.post("/auth/forgot-password", {"email": user["email"]}).status_code == 200
    reset = {"token": mailed_token(smtp, user["email"]), "newPassword": "Again789!"}
    assert at(second).post("/auth/reset-password", reset).status_code == 200
    eventually(lambda: here.get("/auth/me").status_code == 401, "the reset ends sessions of the other release")

    again = at(first)
    assert again.login(user["email"], "Again789!").status_code == 200
    assert again.delete(f"/users/{user['id']}").status_code == 200
    assert at(second).login(user["email"], "Again789!").status_code == 401
    assert at(second, again.cookies).patch(f"/users/{user['id']}/restore").status_code == 200
    assert at(first).login(user["email"], "Again789!").status_code == 200

    # The last of the previous release goes; this one serves on.
    assert before.stop() == 0, before.printed()
    assert browse(after, early.cookies).post("/auth/refresh-token").status_code == 200
    assert after.stop() == 0, after.printed()
