"""Reads users for admins: one, or a page of a search."""

from dataclasses import dataclass, replace
from typing import Any

from latchkey.database.pool import Connection, Database
from latchkey.database.queries import plan_each, prefer_bitmaps
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
            await plan_each(connection)
            wanted, one_more = search, Page(page.limit + 1, page.after)
            if search.q is not None:
                words = await _words(connection, search.q)
                if words is None:
                    return []
                wanted = replace(search, words=words)
            if wanted.has_filters and wanted.email is None:
                # What many users have is found at once among the first ones, and all else in the indexes. The opposite
                # takes seconds.
                found = await read_queries.find_among_first(connection, wanted, one_more)
                if len(found) == one_more.limit:
                    return found
                await prefer_bitmaps(connection)
            return await read_queries.find_page(connection, wanted, one_more)

        found = await self.database.transact(read)
        shown = found[: page.limit]
        following = search.place_of(shown[-1].id, shown[-1].email) if len(found) > page.limit else None
        return shown, following


async def _words(connection: Connection, text: str) -> str | None:
    """Returns the text of a tsquery that finds beginnings of words; None: no word is long enough."""
    words = await read_queries.words_of(connection, text)
    long_enough = [word for word in words[:WORDS_MAX] if len(word) >= WORD_MIN_CHARACTERS]
    return " & ".join(map(_beginning, long_enough)) or None


def _beginning(word: str) -> str:
    """Returns a word as an operand of a tsquery that matches its beginning. Quoted, so that nothing in it is syntax."""
    quoted = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}':*"
