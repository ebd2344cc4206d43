"""Builds the OpenAPI 3.1 document from the endpoints' declarations, so document and service always agree."""

from collections.abc import Iterable, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, Field, TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from latchkey.http import errors
from latchkey.http.endpoint import PASSED_ON, SAFE_METHODS, Endpoint, Success
from latchkey.http.envelope import failure
from latchkey.http.exchange import JsonObject
from latchkey.http.oauth import OAuthError
from latchkey.http.openapi_oauth import add_oauth_refusals
from latchkey.refusal import FieldError, Refusal, ServiceUnavailable, ValidationFailed

REFERENCE = "#/components/schemas/{model}"
CSRF_SCHEME = "csrfToken"
COOKIE_SCHEME = "cookieAuth"
KEY_SCHEME = "apiKey"
BEARER_SCHEME = "bearerAuth"
RATE_LIMIT_HEADERS = ("RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


class FieldProblem(BaseModel):
    """One bad field of a `VALIDATION_ERROR`."""

    field: str = Field(examples=["email"])
    message: str = Field(examples=["must be a valid e-mail address of at most 150 characters"])


def openapi_document(
    endpoints: Iterable[Endpoint[Any]],
    *,
    version: str,
    root_path: str,
    access_cookie: str,
    refresh_cookie: str,
    explains: bool = False,
) -> JsonObject:
    """Returns the document. `root_path` is the path that Latchkey is served under; cookie names include the prefix.

    `explains`: the message of a CSRF refusal may also give its cause, as under `latchkey dev`.
    """
    documented = [endpoint for endpoint in endpoints if endpoint.documented]
    paths: JsonObject = {}
    for endpoint in documented:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(
            endpoint, refresh_cookie, explains=explains
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Latchkey",
            "version": version,
            "description": (
                "User accounts and sign-in. Tokens travel in httpOnly cookies; every POST, PUT, PATCH and DELETE"
                " needs a CSRF token from `GET /auth/csrf-token` in `X-CSRF-Token`. Native clients send"
                " `X-Client-Type: native` and bearer tokens instead, and need no CSRF token."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": root_path or "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(endpoint.tag for endpoint in documented)],
        "paths": paths,
        "components": {
            "schemas": _schemas(documented),
            "securitySchemes": {
                COOKIE_SCHEME: {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": access_cookie,
                    "description": "Access token, set by login and refresh.",
                },
                BEARER_SCHEME: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": (
                        "Access token of a session that a native client has opened (login with `X-Client-Type: native`)."
                        " No CSRF token is needed."
                    ),
                },
                KEY_SCHEME: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": (
                        "An API key of a server of yours, `lk_…`, with the scope that the description names. Not for pages:"
                        " a request with an Origin is refused. No CSRF token is needed."
                    ),
                },
                "refreshCookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": refresh_cookie,
                    "description": "Refresh token, set by login and refresh.",
                },
                CSRF_SCHEME: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-CSRF-Token",
                    "description": (
                        "From `GET /auth/csrf-token`, together with its cookie. `csrf-token`, `X-XSRF-TOKEN` and"
                        " `XSRF-TOKEN` are read too; if several are sent, they must be equal."
                    ),
                },
            },
        },
    }


def _operation(endpoint: Endpoint[Any], refresh_cookie: str, *, explains: bool) -> JsonObject:
    name = endpoint.handler.__name__.split("_")
    operation: JsonObject = {
        "operationId": name[0] + "".join(part.capitalize() for part in name[1:]),
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "security": _security(endpoint, refresh_cookie),
        "responses": _successes(endpoint) | _failures(endpoint, explains=explains),
    }
    if endpoint.description:
        operation["description"] = endpoint.description
    if parameters := _parameters(endpoint):
        operation["parameters"] = parameters
    if (model := endpoint.body or endpoint.native_body) is not None:
        schema = {"$ref": REFERENCE.format(model=model.__name__)}
        required = endpoint.body is not None
        content_type = "application/x-www-form-urlencoded" if endpoint.takes_form else "application/json"
        operation["requestBody"] = {"required": required, "content": {content_type: {"schema": schema}}}
    return operation


def _security(endpoint: Endpoint[Any], refresh_cookie: str) -> list[dict[str, list[str]]]:
    csrf: dict[str, list[str]] = {CSRF_SCHEME: []} if endpoint.checks_csrf else {}
    if endpoint.guard is not None:
        return [
            {authenticator.scheme: []} | (csrf if authenticator.scheme == COOKIE_SCHEME else {})
            for authenticator in endpoint.guard.authenticators
        ]
    schemes = ["refreshCookie" if cookie == refresh_cookie else COOKIE_SCHEME for cookie in endpoint.cookies_in]
    if schemes:
        bearer: list[dict[str, list[str]]] = [{BEARER_SCHEME: []}] if COOKIE_SCHEME in schemes else []
        return [*({scheme: []} | csrf for scheme in schemes), *bearer]
    return [csrf] if csrf else []


def _parameters(endpoint: Endpoint[Any]) -> list[JsonObject]:
    return [
        {"name": name, "in": place, "required": place == "path", "schema": schema}
        for place, model in (("path", endpoint.params), ("query", endpoint.query))
        if model is not None
        for name, schema in model.model_json_schema()["properties"].items()
    ]


def _successes(endpoint: Endpoint[Any]) -> JsonObject:
    by_status: dict[int, list[Success]] = {}
    for success in endpoint.success:
        by_status.setdefault(success.status, []).append(success)
    return {str(status): _success(endpoint, successes) for status, successes in by_status.items()}


def _success(endpoint: Endpoint[Any], successes: list[Success]) -> JsonObject:
    headers = _rate_limit_headers(endpoint)
    for success in successes:
        headers |= {name: _header(description) for name, description in success.headers.items()}
    if endpoint.cookies_out:
        names = ", ".join(endpoint.cookies_out)
        headers["Set-Cookie"] = _header(f"Sets or clears: {names}")
    answer: JsonObject = {"description": "; ".join(success.message for success in successes), "headers": headers}
    schemas = [_success_schema(success) for success in successes if not success.empty and not success.media_types]
    if streamed := [kind for success in successes for kind in success.media_types]:
        answer["content"] = {kind: {"schema": {"type": "string"}} for kind in streamed}
    if schemas:
        answer["content"] = {"application/json": {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}}
    return answer


def _header(description: str) -> JsonObject:
    return {"schema": {"type": "string"}, "description": description}


def _success_schema(success: Success) -> JsonObject:
    if success.bare is not None:
        return {"$ref": REFERENCE.format(model=success.bare.__name__)}
    if success.schema_name is not None:
        return {"$ref": REFERENCE.format(model=success.schema_name)}
    return _envelope_schema(success)


def _envelope_schema(success: Success) -> JsonObject:
    properties: JsonObject = {"message": {"const": success.message}, "data": _data_schema(success.data)}
    required = ["data"]
    if success.meta is not None:
        properties["meta"] = {"$ref": REFERENCE.format(model=success.meta.__name__)}
        required.append("meta")
    detail = {"properties": properties, "required": required}
    return {"allOf": [{"$ref": REFERENCE.format(model="SuccessResponse")}, detail]}


def _data_schema(data: Any) -> JsonObject:
    if data is None:
        return {"type": "null"}
    reference = {"$ref": REFERENCE.format(model=_model_of(data).__name__)}
    return {"type": "array", "items": reference} if get_origin(data) is list else reference


def _model_of(data: Any) -> type[BaseModel]:
    model: type[BaseModel] = get_args(data)[0] if get_origin(data) is list else data
    return model


def _rate_limit_headers(endpoint: Endpoint[Any]) -> JsonObject:
    names = RATE_LIMIT_HEADERS if endpoint.counted else ()
    return {name: {"schema": {"type": "string"}} for name in names}


def failures_of(endpoint: Endpoint[Any]) -> list[type[Refusal]]:
    """Returns every refusal that an endpoint can answer with: its own, and those that follow from its declaration."""
    cases: list[type[Refusal]] = [
        *(errors.InvalidHost, errors.MalformedBody, errors.BodyTooLarge, errors.NotForBrowsers)
    ]
    if endpoint.is_credentialed:
        cases.append(errors.AmbiguousCredentials)
        if not endpoint.takes_keys:
            cases.append(errors.Forbidden)
    if endpoint.counted:
        cases.append(errors.RateLimited)
    if endpoint.checks_csrf:
        cases.append(errors.CsrfRefused)
    if endpoint.guard is not None:
        cases += endpoint.guard.failures(changes=endpoint.method not in SAFE_METHODS)
    if endpoint.refused is not None:
        cases.append(endpoint.refused)
    if endpoint.params is not None:
        # An id with an encoded slash is another path, and no endpoint has it.
        cases += [ValidationFailed, errors.NotFound]
    if endpoint.query is not None:
        cases.append(ValidationFailed)
    if endpoint.takes_form:
        cases += [ValidationFailed, errors.MalformedForm, errors.NotForm]
    elif endpoint.body is not None or endpoint.native_body is not None:
        cases += [ValidationFailed, errors.NotJson]
    if endpoint.touches_database or endpoint.needs_limiter:
        cases.append(ServiceUnavailable)
    if endpoint.for_proxies:
        cases = [case for case in cases if case.status in PASSED_ON]
    return list(dict.fromkeys([*endpoint.failures, *cases]))


def _failures(endpoint: Endpoint[Any], *, explains: bool) -> JsonObject:
    by_status: dict[int, list[type[Refusal]]] = {}
    for case in failures_of(endpoint):
        if case not in endpoint.oauth_errors:
            by_status.setdefault(case.status, []).append(case)
    responses = {
        str(status): _failure(cases, has_body=not endpoint.for_proxies, explains=explains)
        for status, cases in sorted(by_status.items())
    }
    add_oauth_refusals(responses, endpoint, REFERENCE)
    return responses


def _failure(cases: Sequence[type[Refusal]], *, has_body: bool, explains: bool) -> JsonObject:
    cases = sorted(cases, key=lambda case: case.__name__)
    response: JsonObject = {
        "description": "; ".join(dict.fromkeys(f"`{case.code}` {case.message}" for case in cases)),
    }
    if has_body:
        response["content"] = {"application/json": _failure_body(cases, explains=explains)}
    if cases[0].status in {errors.RateLimited.status, ServiceUnavailable.status}:
        response["headers"] = {"Retry-After": _header("seconds to wait")}
    return response


def _failure_body(cases: Sequence[type[Refusal]], *, explains: bool) -> JsonObject:
    messages: JsonObject = {"enum": sorted({case.message for case in cases})}
    if explains and errors.CsrfRefused in cases:
        explained = {"type": "string", "pattern": f"^{errors.CsrfRefused.message}: "}
        messages = {"anyOf": [messages, explained]}
    detail = {
        "properties": {
            "code": {"enum": sorted({case.code for case in cases})},
            "message": messages,
        }
    }
    return {
        "schema": {"allOf": [{"$ref": REFERENCE.format(model="ErrorResponse")}, detail]},
        "examples": {case.__name__: {"value": _example(case)} for case in cases},
    }


def _example(case: type[Refusal]) -> Any:
    error = case(FieldError("email", "is required")) if case is ValidationFailed else case()
    return TypeAdapter(Any).validate_json(failure(error))


def _schemas(endpoints: Sequence[Endpoint[Any]]) -> JsonObject:
    models: dict[type[BaseModel], JsonSchemaMode] = {FieldProblem: "serialization"}
    for endpoint in endpoints:
        shown = [model for success in endpoint.success for model in (success.bare, success.data, success.meta)]
        models |= {_model_of(model): "serialization" for model in shown if model is not None}
        models |= {model: "validation" for model in (endpoint.body, endpoint.native_body) if model is not None}
        if endpoint.oauth_errors:
            models[OAuthError] = "serialization"
    _, generated = models_json_schema(list(models.items()), ref_template=REFERENCE)
    of_no_operation: tuple[type[Refusal], ...] = (errors.NotFound, errors.MethodNotAllowed, errors.InternalError)
    with_bodies = [endpoint for endpoint in endpoints if not endpoint.for_proxies]
    cases = [*of_no_operation, *(case for endpoint in with_bodies for case in failures_of(endpoint))]
    codes = sorted({case.code for case in cases})
    models_by_name: JsonObject = generated["$defs"]
    named = [success for endpoint in endpoints for success in endpoint.success if success.schema_name is not None]
    models_by_name |= {str(success.schema_name): _envelope_schema(success) for success in named}
    return models_by_name | {
        "SuccessResponse": {
            "type": "object",
            "properties": {"success": {"const": True}, "message": {"type": "string"}, "data": {}},
            "required": ["success", "message", "data"],
        },
        "ErrorResponse": {
            "type": "object",
            "properties": {
                "success": {"const": False},
                "message": {"type": "string"},
                "code": {"type": "string", "enum": codes},
                "errors": {"type": "array", "items": {"$ref": REFERENCE.format(model="FieldProblem")}},
            },
            "required": ["success", "message", "code"],
            "additionalProperties": False,
        },
    }
