"""Reads users for admins: one, or a page of a search."""

from dataclasses import dataclass, replace
from typing import Any

from latchkey.database.pool import Connection, Database
from latchkey.features.user_administration import read_queries
from latchkey.features.user_administration.search import Page, Search
from latchkey.features.user_administration.views import AdminUser, AdminUserDetail
from latchkey.users.errors import UserNotFound

WORDS_MAX = 5
WORD_MIN_CHARACTERS = 2


@dataclass(frozen=True, slots=True)
class UserReader:
    """Reads users, deleted ones too."""

    database: Database

    async def get(self, user_id: int) -> AdminUserDetail:
        """Returns a user. Raises UserNotFound."""
        user = await read_queries.find(self.database, user_id)
        if user is None:
            raise UserNotFound
        return user

    async def count(self) -> int:
        """Returns the number of live users."""
        return await read_queries.count_live(self.database)

    async def page(self, search: Search, page: Page) -> tuple[list[AdminUser], list[Any] | None]:
        """Returns a page of a search, and the place of the next page; None: this is the last one."""

        async def read(connection: Connection) -> list[AdminUser]:
            await read_queries.plan_each(connection)
            wanted = search
            if search.q is not None:
                words = await read_queries.words_of(connection, search.q)
                long_enough = [word for word in words[:WORDS_MAX] if len(word) >= WORD_MIN_CHARACTERS]
                if not long_enough:
                    return []
                wanted = replace(search, words=" & ".join(map(_beginning, long_enough)))
            return await read_queries.find_page(connection, wanted, Page(page.limit + 1, page.after))

        found = await self.database.transact(read)
        shown = found[: page.limit]
        following = search.place_of(shown[-1].id, shown[-1].email) if len(found) > page.limit else None
        return shown, following


def _beginning(word: str) -> str:
    """Returns a word as an operand of a tsquery that matches its beginning. Quoted, so that nothing in it is syntax."""
    quoted = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}':*"
