"""The adapters in apps of other shapes than the examples."""

from pathlib import Path

from tests.kit.apps import APPS, GRANIAN, GUNICORN, UVICORN, running_app
from tests.kit.issuer import Issuer


def bearer(token: str, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} | headers


def test_fastapi_by_routers(issuer: Issuer, tmp_path: Path) -> None:
    variables = {"LATCHKEY_URL": issuer.url}
    with running_app(APPS, UVICORN, tmp_path / "log", variables, app="fastapi_app:app") as app:
        strong, weak = issuer.token(amr=["pwd", "mfa"]), issuer.token()
        assert app.client.get("/router/me", headers=bearer(strong)).json() == ["mfa", "pwd"]
        refused = app.client.get("/router/me", headers=bearer(weak))
        assert (refused.status_code, refused.json()["code"]) == (403, "REAUTHENTICATION_REQUIRED")
        assert refused.headers["WWW-Authenticate"] == 'Bearer error="insufficient_user_authentication"'

        # A cookie of another name, and an origin of its own.
        cookie = {"Cookie": f"__Host-accessToken={strong}; accessToken=x"}
        for origin, status in (("https://pages.example.com", 200), ("https://PAGES.example.com:443", 200)):
            assert app.client.post("/router/me", headers=cookie | {"Origin": origin}).status_code == status
        for origin in ("http://pages.example.com", "https://pages.example.com:444", "https://evil.example.com"):
            assert app.client.post("/router/me", headers=cookie | {"Origin": origin}).status_code == 403

        # Without exception_handlers the status is right all the same.
        plain = app.client.get("/plain/router/me")
        assert (plain.status_code, plain.json()) == (401, {"detail": "Unauthorized"})
        assert app.client.get("/plain/router/me", headers=bearer(weak)).status_code == 403
        assert app.client.get("/plain/router/me", headers=bearer(strong)).status_code == 200
        assert "Traceback" not in app.printed()


def test_starlette_by_functions_and_classes(issuer: Issuer, tmp_path: Path) -> None:
    variables = {"LATCHKEY_URL": issuer.url}
    with running_app(APPS, GRANIAN, tmp_path / "log", variables, app="starlette_app:app") as app:
        for path in ("/sync", "/class"):
            assert app.client.get(path, headers=bearer(issuer.token())).json() == 7
            assert app.client.get(path).json()["code"] == "UNAUTHORIZED"
        assert app.client.post("/class").json() == "open"


def test_flask_with_async_views_and_error_pages(issuer: Issuer, tmp_path: Path) -> None:
    variables = {"LATCHKEY_URL": issuer.url}
    with running_app(APPS, GUNICORN, tmp_path / "log", variables, app="flask_app:app") as app:
        assert app.client.get("/b/me/3", headers=bearer(issuer.token())).json() == [7, 3]
        refused = app.client.get("/b/me/3")
        assert (refused.status_code, refused.json()["code"]) == (401, "UNAUTHORIZED")
        assert app.client.get("/nowhere").text == "an error page"
