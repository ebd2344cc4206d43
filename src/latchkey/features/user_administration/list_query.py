"""The query of GET /admin/users."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

from latchkey.features.user_administration.search import ORDERS, Search
from latchkey.http.fields import absent, whole_number
from latchkey.http.page_meta import CursorMeta
from latchkey.http.query_fields import one_of, text_of
from latchkey.http.times import Time
from latchkey.users.fields import EMAIL_MAX
from latchkey.users.role import Role

LIMIT_MAX, LIMIT_DEFAULT = 100, 50
Q_MAX = 100


class UsersMeta(CursorMeta):
    """`meta` of a page of users. `total` is the number of live users, in a list without filters only."""

    total: int | None = Field(None, exclude_if=lambda value: value is None)


class UsersQuery(BaseModel):
    """Filters, which must all hold, the order, and the place in the list."""

    model_config = ConfigDict(extra="forbid")

    # Functions make the types of these fields, which mypy does not follow.

    limit: Annotated[
        int,
        PlainValidator(whole_number(1, LIMIT_MAX), json_schema_input_type=Any),
        WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT}),
    ] = LIMIT_DEFAULT
    cursor: text_of(1_000) = Field(default_factory=absent, description="`meta.nextCursor` of the page before")  # type: ignore[valid-type]
    sort: one_of(*ORDERS) = "-id"  # type: ignore[valid-type]
    q: text_of(Q_MAX) = Field(default_factory=absent, description="beginnings of up to five words")  # type: ignore[valid-type]
    email: text_of(EMAIL_MAX) = Field(default_factory=absent)  # type: ignore[valid-type]
    domain: text_of(EMAIL_MAX) = Field(default_factory=absent)  # type: ignore[valid-type]
    role: one_of(*Role) = Field(default_factory=absent)  # type: ignore[valid-type]
    verified: one_of("true", "false") = Field(default_factory=absent)  # type: ignore[valid-type]
    suspended: one_of("true", "false") = Field(default_factory=absent)  # type: ignore[valid-type]
    deleted: one_of("false", "true", "any") = "false"  # type: ignore[valid-type]
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
