"""Which account a command is about: named by id or by address."""

import re
from dataclasses import asdict

from latchkey.terminal.failing import fail
from latchkey.terminal.operation import AnyOperation
from latchkey.terminal.output import print_fields, print_json, shown
from latchkey.users import operator_queries
from latchkey.users.operator_queries import Account
from latchkey.users.user import USER_ID_MAX


async def find_account(who: str, operation: AnyOperation) -> Account:
    """Returns the account with an id or address; fails when there is none, or several deleted ones had that address."""
    if re.fullmatch(r"[0-9]+", who, re.ASCII):
        return await find_by_id(int(who), operation)
    if "@" not in who:
        fail(f"{who!r} is neither the id nor the address of a user")
    accounts = await operator_queries.find_by_email(operation.database, who)
    if not accounts:
        fail(f"there is no user with the address {who}")
    if accounts[0].is_deleted and len(accounts) > 1:
        ids = ", ".join(str(account.id) for account in accounts)
        fail(f"several deleted users had the address {who}: give one of the ids {ids}")
    return accounts[0]


async def find_live(who: str, operation: AnyOperation) -> Account:
    """As `find_account`; fails when the account is deleted."""
    account = await find_account(who, operation)
    if account.is_deleted:
        fail(f"{named(account)} is deleted")
    return account


async def find_by_id(user_id: int, operation: AnyOperation) -> Account:
    """Returns the account with that id, deleted or not; fails when there is none."""
    account = await operator_queries.find(operation.database, user_id) if user_id <= USER_ID_MAX else None
    if account is None:
        fail(f"there is no user {user_id}")
    return account


def named(account: Account) -> str:
    """Returns the name of an account in messages."""
    return f"user {account.id} ({shown(account.email)})"


def print_account(account: Account, *, as_json: bool) -> None:
    """Prints one account."""
    if as_json:
        print_json(asdict(account))
    else:
        print_fields(asdict(account))
