"""The refusals in the form of OAuth, in the OpenAPI document."""

from typing import Any

from latchkey.http.endpoint import Endpoint
from latchkey.http.exchange import JsonObject
from latchkey.http.oauth import STATUS, OAuthError, oauth_error
from latchkey.refusal import FieldError, Refusal, ValidationFailed


def add_oauth_refusals(responses: JsonObject, endpoint: Endpoint[Any], reference: str) -> None:
    """Adds an endpoint's refusals in the form of OAuth to its responses, beside those in the envelope."""
    by_status: dict[int, dict[type[Refusal], str]] = {}
    for case, code in endpoint.oauth_errors.items():
        by_status.setdefault(STATUS[code], {})[case] = code
    for status, cases in by_status.items():
        detail = {"properties": {"error": {"enum": sorted(set(cases.values()))}}}
        added = {
            "description": "; ".join(f"`{code}` {case.message}" for case, code in cases.items()),
            "schema": {"allOf": [{"$ref": reference.format(model=OAuthError.__name__)}, detail]},
            "examples": {case.__name__: {"value": _example(case, code)} for case, code in cases.items()},
        }
        response = responses.setdefault(
            str(status), {"description": "", "content": {"application/json": {"examples": {}}}}
        )
        content = response["content"]["application/json"]
        response["description"] = "; ".join(filter(None, [response["description"], added["description"]]))
        content["schema"] = {"anyOf": [content["schema"], added["schema"]]} if "schema" in content else added["schema"]
        content["examples"] |= added["examples"]


def _example(case: type[Refusal], code: str) -> JsonObject:
    error = case(FieldError("token", "is required")) if case is ValidationFailed else case()
    return oauth_error(code, error).model_dump()
