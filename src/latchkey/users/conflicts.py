"""Tells a taken address from other violations of unique rules."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from latchkey.refusal import Refusal

# During REINDEX CONCURRENTLY two indexes exist, and PostgreSQL may name either.
_ADDRESS_RULE = re.compile(r"users_email_unique_active(_cc(new|old)[0-9]*)?")


class UnexpectedConflict(Exception):
    """A unique rule that is not about addresses was violated. The caller cannot correct that."""


@contextmanager
def address_conflict(refusal: type[Refusal]) -> Iterator[None]:
    """Raises `refusal` when the block gives two live users one address.

    Raises UnexpectedConflict for every other unique rule. The constraint's name decides: otherwise a sequence behind
    its table, or an operator's own rule, would look like a taken address.
    """
    try:
        yield
    except asyncpg.UniqueViolationError as violation:
        if _ADDRESS_RULE.fullmatch(violation.constraint_name or ""):
            raise refusal from None
        raise UnexpectedConflict(
            f"the unique rule {violation.constraint_name} of the table {violation.table_name} was violated. It is not"
            " about addresses. If it is about an id, the sequence of that table lags behind its rows"
        ) from violation
