"""The query of GET /admin/users."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from latchkey.features.user_administration.search import ORDERS, Search
from latchkey.http.fields import absent, given_text, whole_number
from latchkey.http.page_meta import CursorMeta
from latchkey.http.times import Time
from latchkey.users.fields import EMAIL_MAX
from latchkey.users.role import Role

LIMIT_MAX, LIMIT_DEFAULT = 100, 50
Q_MAX = 100


class UsersMeta(CursorMeta):
    """`meta` of a page of users. `total` is the number of live users, in a list without filters only."""

    total: int | None = None


def _text(longest: int) -> Any:
    def check(value: object) -> str:
        text = given_text(value)
        if len(text) > longest or "\0" in text:
            raise PydanticCustomError("text", f"must be 1 to {longest} characters long, without NUL")
        return text

    return Annotated[
        str | None,
        PlainValidator(check, json_schema_input_type=Any),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": longest}),
    ]


def _one_of(*names: str) -> Any:
    def check(value: object) -> str:
        if value not in names:
            raise PydanticCustomError("choice", f"must be one of {', '.join(names)}")
        return str(value)

    return Annotated[
        str | None,
        PlainValidator(check, json_schema_input_type=Any),
        WithJsonSchema({"type": "string", "enum": list(names)}),
    ]


class UsersQuery(BaseModel):
    """Filters, which must all hold, the order, and the place in the list."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[
        int,
        PlainValidator(whole_number(1, LIMIT_MAX), json_schema_input_type=Any),
        WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT}),
    ] = LIMIT_DEFAULT
    cursor: _text(1_000) = Field(default_factory=absent, description="`meta.nextCursor` of the page before")  # type: ignore[valid-type]
    sort: _one_of(*ORDERS) = "-id"  # type: ignore[valid-type]
    q: _text(Q_MAX) = Field(default_factory=absent, description="beginnings of words of name and address, at most five")  # type: ignore[valid-type]
    email: _text(EMAIL_MAX) = Field(default_factory=absent)  # type: ignore[valid-type]
    domain: _text(EMAIL_MAX) = Field(default_factory=absent)  # type: ignore[valid-type]
    role: _one_of(*Role) = Field(default_factory=absent)  # type: ignore[valid-type]
    verified: _one_of("true", "false") = Field(default_factory=absent)  # type: ignore[valid-type]
    suspended: _one_of("true", "false") = Field(default_factory=absent)  # type: ignore[valid-type]
    deleted: _one_of("false", "true", "any") = "false"  # type: ignore[valid-type]
    created_from: Time = Field(default_factory=absent, alias="createdFrom")
    created_to: Time = Field(default_factory=absent, alias="createdTo")

    def search(self) -> Search:
        """Returns the search, still without its words."""
        return Search(
            sort=self.sort,
            q=self.q,
            email=self.email and self.email.lower(),
            domain=self.domain and self.domain.lower(),
            role=Role(self.role) if self.role else None,
            verified=_flag(self.verified),
            suspended=_flag(self.suspended),
            deleted=self.deleted,
            created_from=self.created_from,
            created_to=self.created_to,
        )


def _flag(text: str | None) -> bool | None:
    return None if text is None else text == "true"
