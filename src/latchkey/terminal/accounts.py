"""Finds the account that a command names by id or address."""

import re
import sys
from dataclasses import asdict

from latchkey.terminal.failing import fail
from latchkey.terminal.operation import AnyOperation
from latchkey.terminal.output import print_fields, print_json, shown
from latchkey.users import operator_queries
from latchkey.users.operator_queries import Account
from latchkey.users.user import USER_ID_MAX


async def find_account(who: str, operation: AnyOperation) -> Account:
    """Returns the account with that id or address.

    Fails if none has it, or if only deleted accounts have it and they are several.
    """
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
    """Does as `find_account`, and fails if the account is deleted."""
    account = await find_account(who, operation)
    if account.is_deleted:
        fail(f"{named(account)} is deleted")
    return account


async def find_by_id(user_id: int, operation: AnyOperation) -> Account:
    """Returns the account with that id, deleted or not. Fails if none has it."""
    account = await operator_queries.find(operation.database, user_id) if user_id <= USER_ID_MAX else None
    if account is None:
        fail(f"there is no user {user_id}")
    return account


def named(account: Account) -> str:
    """Returns how messages name an account."""
    return f"user {account.id} ({shown(account.email)})"


def confirmed_or_fail(question: str, *, confirmed: bool) -> None:
    """Returns if the operator has confirmed, by an option or by answering the question; fails otherwise, without a
    terminal, too."""
    if confirmed:
        return
    if not sys.stdin.isatty():
        fail("this needs a confirmation: add --yes")
    # typer.confirm would write to standard output, which is kept for JSON.
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        fail("nothing was changed")


def print_account(account: Account, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(account))
    else:
        print_fields(asdict(account))
