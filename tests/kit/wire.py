"""Checks answers against the OpenAPI document: it must declare their status, code and schema."""

import re
from typing import Any
from urllib.parse import unquote

import httpx
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its stubs are a package apart
from referencing import Registry
from referencing.jsonschema import DRAFT202012

ALWAYS = {"vary", "x-request-id", "content-security-policy", "strict-transport-security", "x-content-type-options"}

JSON = "application/json"

UNDOCUMENTED = frozenset(
    {
        "/",
        "/page.css",
        "/openapi.json",
        "/api-docs",
        "/api-docs/swagger-ui.css",
        "/api-docs/swagger-ui-bundle.js",
        "/api-docs/init.js",
        "/api-docs/page.css",
        "/api-docs/favicon-32x32.png",
        "/client.js",
        "/reset-password",
        "/reset-password/page.css",
        "/reset-password/page.js",
        "/verify-email",
        "/verify-email/page.css",
        "/verify-email/page.js",
        "/dev/mailbox",
    }
)
"""Paths that are served undocumented on purpose: the document itself, pages and their assets."""


class Wire:
    """Checks answers against one server's document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        resource = DRAFT202012.create_resource(document)
        self._registry: Registry[Any] = Registry().with_resource("urn:openapi", resource)
        self._paths = {
            re.compile(re.sub(r"\\{[A-Za-z]+\\}", "[^/]+", re.escape(path)) + "/?"): operations
            for path, operations in document["paths"].items()
        }

    def check(self, method: str, target: str, response: httpx.Response) -> None:
        """Raises AssertionError for an answer that the document does not describe."""
        missing = ALWAYS - set(response.headers)
        assert not missing, f"{method} {target}: headers missing: {missing}"
        assert response.headers["server"] == "latchkey"
        assert response.status_code != 500, f"{method} {target}: {response.text}"
        operation = self.operation(method, target)
        if operation is None:
            # A preflight is answered before its path is routed.
            known = method == "OPTIONS" or (target.partition("?")[0].removesuffix("/") or "/") in UNDOCUMENTED
            assert known or not response.is_success, f"{method} {target}: {response.status_code}, but not documented"
            return
        declared = operation["responses"].get(str(response.status_code))
        assert declared, f"{method} {target}: {response.status_code} is not declared: {response.text}"
        if "content" not in declared:
            assert "content-type" not in response.headers
            assert response.content == b""
            return
        if response.headers["content-type"] != "application/json; charset=utf-8":
            # A stream, which no schema describes.
            assert response.headers["content-type"].partition(";")[0] in declared["content"].keys() - {JSON}
            return
        if method == "HEAD":
            assert response.content == b""
            return
        schema = _absolute(declared["content"]["application/json"]["schema"])
        errors = list(Draft202012Validator(schema, registry=self._registry).iter_errors(response.json()))
        assert not errors, f"{method} {target}: {response.text}: {errors}"

    def operation(self, method: str, target: str) -> dict[str, Any] | None:
        """Returns the document's entry for a method and a path, which may have a query; None without an entry."""
        path = unquote(target.partition("?")[0])
        for pattern, operations in self._paths.items():
            if pattern.fullmatch(path):
                found: dict[str, Any] | None = operations.get("get" if method == "HEAD" else method.lower())
                return found
        return None


def _absolute(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: f"urn:openapi{value}" if key == "$ref" else _absolute(value) for key, value in schema.items()}
    return [_absolute(item) for item in schema] if isinstance(schema, list) else schema
