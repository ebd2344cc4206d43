"""A search for users: filters, an order, and the SQL of both, joined of constant fragments."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from latchkey.sessions.standing import IS_SUSPENDED
from latchkey.users.role import Role

BY_EMAIL = 'lower(email) COLLATE "C"'


def split(text: str) -> str:
    """Returns the SQL of a text in lower case, with spaces for what joins the words of an address."""
    return f"translate(lower({text}), '@.+_-/''', '       ')"


_TEXT = split("name || ' ' || email")
WORDS = f"to_tsvector('simple', {_TEXT})"
"""The expression of the index users_search."""
ORDERS = {
    "-id": "users.id DESC",
    "id": "users.id",
    "email": f"{BY_EMAIL}, users.id",
    "-email": f"{BY_EMAIL} DESC, users.id DESC",
}
_AFTER = {
    "-id": "users.id < {}",
    "id": "users.id > {}",
    "email": f"({BY_EMAIL}, users.id) > ({{}}, {{}})",
    "-email": f"({BY_EMAIL}, users.id) < ({{}}, {{}})",
}
_ROLES = {Role.USER: "role = 'user'", Role.ADMIN: "role = 'admin'"}
# As IS FALSE, PostgreSQL finds the expression in the index; IS NOT NULL it does not.
_VERIFIED = {True: "(email_verified_at IS NULL) IS FALSE", False: "(email_verified_at IS NULL)"}
_SUSPENDED = {True: f"suspended_at IS NOT NULL AND {IS_SUSPENDED}", False: f"NOT {IS_SUSPENDED}"}
_DELETED = {"false": "NOT is_deleted", "true": "is_deleted"}


@dataclass(frozen=True, slots=True)
class Page:
    """At most `limit` rows, after the row whose sort keys are `after`; None: from the first."""

    limit: int
    after: list[Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Filters that must all hold. None: not filtered. `words` is the text of a tsquery, made of `q`."""

    sort: str = "-id"
    q: str | None = None
    words: str | None = None
    email: str | None = None
    domain: str | None = None
    role: Role | None = None
    verified: bool | None = None
    suspended: bool | None = None
    deleted: str = "false"
    created_from: datetime | None = None
    created_to: datetime | None = None

    @property
    def about(self) -> str:
        """Returns a text that is the same for the same list."""
        return json.dumps(asdict(self) | {"words": None}, default=str, sort_keys=True)

    @property
    def has_filters(self) -> bool:
        """Tells whether the list is any but that of all live users."""
        return self != Search(sort=self.sort)

    @property
    def order(self) -> str:
        """Returns the SQL of the order."""
        return ORDERS[self.sort]

    def place_of(self, user_id: int, email: str) -> list[Any]:
        """Returns the sort keys of a row."""
        return [user_id] if self.sort in {"id", "-id"} else [email.lower(), user_id]

    def conditions(self, page: Page) -> tuple[str, list[Any]]:
        """Returns the SQL of all conditions, and its arguments. The first arguments are those of the place."""
        start, arguments = self.start(page)

        def argument(value: Any) -> str:
            arguments.append(value)
            return f"${len(arguments)}"

        return " AND ".join([start, *self._constant_conditions(), *self._conditions(argument)]), arguments

    def start(self, page: Page) -> tuple[str, list[Any]]:
        """Returns the SQL of the condition that a page's rows come after its place, and its arguments."""
        if page.after is None:
            return "true", []
        numbers = [f"${number}" for number in range(1, len(page.after) + 1)]
        return _AFTER[self.sort].format(*numbers), list(page.after)

    def _constant_conditions(self) -> list[str]:
        # Constants, because partial indexes are found by them.
        found = [_DELETED[self.deleted]] if self.deleted in _DELETED else []
        if self.role is not None:
            found.append(_ROLES[self.role])
        if self.verified is not None:
            found.append(_VERIFIED[self.verified])
        if self.suspended is not None:
            found.append(_SUSPENDED[self.suspended])
        return found

    def _conditions(self, argument: Callable[[Any], str]) -> list[str]:
        found = []
        if self.words is not None:
            found.append(f"{WORDS} @@ {argument(self.words)}::text::tsquery")
        if self.email is not None:
            found.append(f"{BY_EMAIL} = {argument(self.email)}")
        if self.domain is not None:
            found.append(f"lower(split_part(email, '@', 2)) = {argument(self.domain)}")
        if self.created_from is not None:
            found.append(f"users.created_at >= {argument(self.created_from)}")
        if self.created_to is not None:
            found.append(f"users.created_at <= {argument(self.created_to)}")
        return found
