"""/openapi.json and /api-docs: the OpenAPI document, and Swagger UI from the package's assets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from latchkey.http.assets import asset_endpoint, page_endpoint
from latchkey.http.endpoint import Call, Endpoint, Reply
from latchkey.http.exchange import answer_header
from latchkey.http.openapi import openapi_document
from latchkey.http.stored import StoredContent

SWAGGER = Path(__file__).parent / "swagger"
SWAGGER_ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js", "init.js", "page.css", "favicon-32x32.png")
NO_STORE = answer_header("Cache-Control", "no-store")
SWAGGER_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def docs_endpoints(
    endpoints: Sequence[Endpoint[Any]],
    *,
    version: str,
    root_path: str,
    access_cookie: str,
    refresh_cookie: str,
    explains: bool,
) -> list[Endpoint[Any]]:
    """Returns the endpoint of the document about `endpoints`, and of the page that shows it."""
    document = openapi_document(
        endpoints,
        version=version,
        root_path=root_path,
        access_cookie=access_cookie,
        refresh_cookie=refresh_cookie,
        explains=explains,
    )
    stored = StoredContent(to_json(document), "application/json; charset=utf-8", [NO_STORE])

    async def openapi(call: Call[None]) -> Reply:
        return Reply(response=await stored.response(call.exchange))

    return [
        Endpoint(
            method="GET",
            path="/openapi.json",
            handler=openapi,
            summary="This document",
            documented=False,
            touches_database=False,
        ),
        page_endpoint(
            "/api-docs", SWAGGER / "index.html", root_path=root_path, policy=SWAGGER_POLICY, summary="Swagger UI"
        ),
        *(asset_endpoint(f"/api-docs/{name}", SWAGGER / name) for name in SWAGGER_ASSETS),
    ]
