"""What a broken unique rule of the database means: the address is taken, or something of ours is wrong."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from latchkey.refusal import Refusal

# While REINDEX CONCURRENTLY runs, there are two of them, and either may be named.
_ADDRESS_RULE = re.compile(r"users_email_unique_active(_cc(new|old)[0-9]*)?")


class UnexpectedConflict(Exception):
    """A unique rule that is not about addresses: nothing that whoever asks could do otherwise."""


@contextmanager
def address_conflict(refusal: type[Refusal]) -> Iterator[None]:
    """Raises `refusal` when what runs in it breaks the rule that no two live users have one address.

    Raises UnexpectedConflict for every other unique rule. The constraint's name decides: a sequence that lags behind its
    table, or a rule that an operator added, would otherwise pass for an address that is taken.
    """
    try:
        yield
    except asyncpg.UniqueViolationError as violation:
        if _ADDRESS_RULE.fullmatch(violation.constraint_name or ""):
            raise refusal from None
        raise UnexpectedConflict(
            f"the unique rule {violation.constraint_name} of the table {violation.table_name} is broken; it is not about"
            " addresses. If it is about an id, the sequence of that table lags behind its rows"
        ) from violation
