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
        schema = {"allOf": [{"$ref": reference.format(model=OAuthError.__name__)}, detail]}
        described = [f"`{code}` {case.message}" for case, code in cases.items()]
        examples = {case.__name__: {"value": _example(case, code)} for case, code in cases.items()}
        enveloped = responses.get(str(status))
        if enveloped is not None:
            content = enveloped["content"]["application/json"]
            schema = {"anyOf": [content["schema"], schema]}
            described.insert(0, enveloped["description"])
            examples = content["examples"] | examples
        responses[str(status)] = {
            "description": "; ".join(described),
            "content": {"application/json": {"schema": schema, "examples": examples}},
        }


def _example(case: type[Refusal], code: str) -> JsonObject:
    error = case(FieldError("token", "is required")) if case is ValidationFailed else case()
    return oauth_error(code, error).model_dump()
