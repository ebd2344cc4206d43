"""Parses path values, queries, JSON bodies and forms strictly. A refusal has one entry for every bad field."""

import json
import re
from typing import Any, NoReturn, TypeVar, cast
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

from latchkey.http.errors import MalformedBody, MalformedForm, NotForm, NotJson
from latchkey.http.exchange import Exchange
from latchkey.refusal import FieldError, ValidationFailed

_UTF8 = r'[ \t]*(;[ \t]*charset[ \t]*=[ \t]*"?utf-8"?[ \t]*)?;?[ \t]*'
_JSON_TYPE = re.compile(rf"[ \t]*application/json{_UTF8}", re.ASCII | re.IGNORECASE)
_FORM_TYPE = re.compile(rf"[ \t]*application/x-www-form-urlencoded{_UTF8}", re.ASCII | re.IGNORECASE)

Model = TypeVar("Model")


def parse_params(model: type[BaseModel], parameters: dict[str, str]) -> BaseModel:
    """Returns the values of a path as an instance of the model, by the names in the path.

    Raises ValidationFailed for bad values, and what the model's validators raise.
    """
    try:
        return model.model_validate(parameters)
    except ValidationError as error:
        raise _validation_failed(error) from None


def parse_query(model: type[BaseModel], exchange: Exchange) -> BaseModel:
    """Returns the query as a model of raw strings. Ignores names that the model does not have.

    Raises ValidationFailed for bad values and for repeated names.
    """
    query = exchange.scope.get("query_string", b"").decode("latin-1")
    given = parse_qsl(query, keep_blank_values=True) if query else []
    values = dict(given)
    if len(values) != len(given):
        _refuse_repeated(model, [name for name, _ in given])
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _validation_failed(error) from None


def _refuse_repeated(model: type[BaseModel], given: list[str]) -> None:
    names = [field.alias or name for name, field in model.model_fields.items()]
    bad = [FieldError(name, "must be given once") for name in names if given.count(name) > 1]
    if bad:
        raise ValidationFailed(*bad)


def parse_body(model: type[Model], exchange: Exchange) -> Model:
    """Returns the body as an instance of the model.

    Raises NotJson for a body of another type, charset or encoding, MalformedBody for anything but one strict JSON
    object, ValidationFailed for bad fields.
    """
    if exchange.body and not _is_of(_JSON_TYPE, exchange):
        raise NotJson
    try:
        return cast(Model, cast(type[BaseModel], model).model_validate(_parse_object(exchange.body)))
    except ValidationError as error:
        raise _validation_failed(error) from None


def parse_form(model: type[Model], exchange: Exchange) -> Model:
    """Returns a form (application/x-www-form-urlencoded) as an instance of the model.

    A field without a value counts as absent, and one that the model does not have is ignored (RFC 6749 section 3.2).
    Raises NotForm for a body of another type, charset or encoding, MalformedForm for bad UTF-8 and for a field that
    comes several times, ValidationFailed for bad fields.
    """
    if exchange.body and not _is_of(_FORM_TYPE, exchange):
        raise NotForm
    try:
        fields = parse_qsl(exchange.body.decode("utf-8"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise MalformedForm from None
    values = dict(fields)
    if len(values) != len(fields):
        raise MalformedForm
    try:
        given = {name: value for name, value in values.items() if value}
        return cast(Model, cast(type[BaseModel], model).model_validate(given))
    except ValidationError as error:
        raise _validation_failed(error) from None


def _is_of(content_type: re.Pattern[str], exchange: Exchange) -> bool:
    encoding = exchange.header("content-encoding")
    return bool(content_type.fullmatch(exchange.header("content-type") or "")) and encoding in {None, "", "identity"}


def _parse_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        # The standard parser runs out of stack on deeply nested JSON, which fits into 10 kB.
        raise MalformedBody from None
    if not isinstance(value, dict):
        raise MalformedBody
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is repeated")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _validation_failed(error: ValidationError) -> ValidationFailed:
    fields: dict[str, FieldError] = {}
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        name = str(detail["loc"][0]) if detail["loc"] else "body"
        fields.setdefault(name, FieldError(_printable(name), _message(detail["type"], detail["msg"])))
    return ValidationFailed(*fields.values())


def _message(kind: str, message: str) -> str:
    return {"missing": "is required", "extra_forbidden": "is not a known field"}.get(kind, message)


def _printable(name: str) -> str:
    # The client chose the text of an unknown key: it may hold lone surrogates, which a JSON answer cannot carry.
    return name.encode("utf-8", "replace").decode("utf-8")[:100]
