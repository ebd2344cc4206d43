"""The fields of an imported account, and their rules."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError, create_model
from pydantic_core import PydanticCustomError

from latchkey.features.imports.record import Record
from latchkey.features.metadata.rules import OWNER_MAX_BYTES, SERVERS_MAX_BYTES
from latchkey.hashing.schemes import NO_PASSWORD, parse_hash
from latchkey.hashing.stored_hash import HashRefused
from latchkey.http.fields import checked_text
from latchkey.users.fields import Email, name

ID_MAX = 2_000_000_000
"""Leaves ids for accounts to come: the largest that the database holds is 2 147 483 647."""
EARLIEST_YEAR, LATEST_YEAR = 1900, 9998
# U+0000, as JSON spells it. PostgreSQL cannot store it. A backslash before it may be escaped itself.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True)
class Account:
    """A checked account. `owner`, `public` and `private` are JSON. None: not given."""

    record: Record
    email: str
    name: str
    password: str
    verified: bool
    created_at: datetime | None
    id: int | None
    owner: str | None
    public: str | None
    private: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """A field that is not accepted, and why. `field` None: the line as a whole."""

    field: str | None
    message: str


def _password_hash(value: object) -> str:
    stored = checked_text(value)
    try:
        parse_hash(stored)
    except HashRefused as refused:
        raise PydanticCustomError("password_hash", "{reason}", {"reason": str(refused)}) from None
    return stored


def _verified(value: object) -> bool:
    if not isinstance(value, bool):
        raise PydanticCustomError("verified", "must be true or false")
    return value


def _time(value: object) -> datetime:
    try:
        time = datetime.fromisoformat(checked_text(value))
    except ValueError:
        time = None
    if time is None or not EARLIEST_YEAR <= time.year <= LATEST_YEAR:
        raise PydanticCustomError("time", "must be a time in ISO 8601, such as 2024-05-06T07:08:09Z")
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _id(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= ID_MAX:
        raise PydanticCustomError("id", f"must be a whole number from 1 to {ID_MAX}")
    return value


def _json_object(value: object) -> str:
    if not isinstance(value, dict):
        raise PydanticCustomError("object", "must be a JSON object")
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
    except (ValueError, RecursionError):
        raise PydanticCustomError("object", "must be JSON that PostgreSQL can store") from None
    if _NUL.search(text):
        raise PydanticCustomError("object", "must not contain U+0000")
    if len(text.encode()) > SERVERS_MAX_BYTES:
        raise PydanticCustomError("object", f"must be at most {SERVERS_MAX_BYTES} bytes long as JSON")
    return text


def _owner(value: object) -> str:
    text = _json_object(value)
    if len(text.encode()) > OWNER_MAX_BYTES:
        raise PydanticCustomError("object", f"must be at most {OWNER_MAX_BYTES} bytes long as JSON")
    return text


class Row(BaseModel):
    """The fields of an import. An unknown one is refused: it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    name: str
    password_hash: Annotated[str, PlainValidator(_password_hash)] | None = None
    verified: Annotated[bool, PlainValidator(_verified)] = False
    created_at: Annotated[datetime, PlainValidator(_time)] | None = None
    id: Annotated[int, PlainValidator(_id)] | None = None
    owner: Annotated[str, PlainValidator(_owner)] | None = None
    public: Annotated[str, PlainValidator(_json_object)] | None = None
    private: Annotated[str, PlainValidator(_json_object)] | None = None


FIELDS = tuple(Row.model_fields)


def row_model(name_min: int) -> type[Row]:
    """Returns Row with a name of at least so many code points."""
    return create_model("Row", __base__=Row, name=(name(name_min), ...))


def check(record: Record, model: type[Row], *, keep_ids: bool) -> Account | list[Problem]:
    """Returns the account of a record, or what is wrong with it: at least one problem."""
    if record.unreadable is not None:
        return [Problem(None, record.unreadable)]
    # null is the same as absent.
    given = {field: value for field, value in record.fields.items() if value is not None}
    try:
        row = model.model_validate(given)
    except ValidationError as error:
        return _problems(error)
    if len((row.public or "").encode()) + len((row.private or "").encode()) > SERVERS_MAX_BYTES:
        return [Problem("private", f"must be at most {SERVERS_MAX_BYTES} bytes long as JSON, together with public")]
    if keep_ids and row.id is None:
        return [Problem("id", "is missing: --keep-ids needs it")]
    return Account(
        record,
        row.email,
        row.name,
        row.password_hash or NO_PASSWORD,
        row.verified,
        row.created_at,
        row.id,
        row.owner,
        row.public,
        row.private,
    )


def _problems(error: ValidationError) -> list[Problem]:
    messages = {"missing": "is missing", "extra_forbidden": f"is no field of an import: {', '.join(FIELDS)}"}
    found: dict[str, Problem] = {}
    for each in error.errors(include_input=False, include_url=False):
        field = str(each["loc"][0])
        found.setdefault(field, Problem(field, messages.get(each["type"], each["msg"])))
    return list(found.values())
