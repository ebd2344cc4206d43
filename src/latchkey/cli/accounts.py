"""Which account a command is about: named by id or by address."""

import re

from latchkey.cli.failing import fail
from latchkey.cli.operation import Operation
from latchkey.cli.output import shown
from latchkey.users import operator_queries
from latchkey.users.operator_queries import Account
from latchkey.users.schemas import INT32_MAX


async def found(who: str, operation: Operation) -> Account:
    """The account with an id or address; fails when there is none, or several deleted ones had that address."""
    if re.fullmatch(r"[0-9]+", who, re.ASCII):
        return await by_id(operation, int(who))
    if "@" not in who:
        fail(f"{who!r} is neither the id nor the address of a user")
    accounts = await operator_queries.find_by_email(operation.database, who)
    if not accounts:
        fail(f"there is no user with the address {who}")
    if accounts[0].is_deleted and len(accounts) > 1:
        ids = ", ".join(str(account.id) for account in accounts)
        fail(f"several deleted users had the address {who}: give one of the ids {ids}")
    return accounts[0]


async def live(who: str, operation: Operation) -> Account:
    """As `found`; fails when the account is deleted."""
    account = await found(who, operation)
    if account.is_deleted:
        fail(f"{named(account)} is deleted")
    return account


async def by_id(operation: Operation, user_id: int) -> Account:
    """The account with that id, deleted or not; fails when there is none."""
    account = await operator_queries.find(operation.database, user_id) if user_id <= INT32_MAX else None
    if account is None:
        fail(f"there is no user {user_id}")
    return account


def named(account: Account) -> str:
    """How messages call it."""
    return f"user {account.id} ({shown(account.email)})"
