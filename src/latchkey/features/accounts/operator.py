"""Delete and restore of an account, for an operator at the command line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from latchkey.feature import PlatformSettings
from latchkey.features.accounts.errors import LastAdmin, RestoreEmailTaken, UserNotDeleted
from latchkey.features.accounts.roles import Role, Roles
from latchkey.features.accounts.service import Accounts
from latchkey.features.email_verification.address_change import AddressChange
from latchkey.features.email_verification.settings import EmailVerificationSettings
from latchkey.terminal.accounts import find_account, find_by_id, find_live, named, print_account
from latchkey.terminal.failing import explained, fail
from latchkey.terminal.operation import COMMAND_LINE, Operation, operate
from latchkey.users import operator_queries
from latchkey.users.errors import UserNotFound
from latchkey.users.operator_queries import Account


class Settings(EmailVerificationSettings, PlatformSettings):
    """Settings that these commands read."""


def delete(who: str, *, confirmed: bool, force: bool, as_json: bool) -> None:
    """Deletes an account and ends its sessions. Without `confirmed` it asks first, and fails if stdin is no
    terminal."""
    if not confirmed:
        if not sys.stdin.isatty():
            fail("this needs a confirmation: add --yes")
        account = operate(Settings, partial(find_live, who))
        if not _confirms(f"Delete {named(account)} and end all its sessions?"):
            fail("nothing was changed")
        who = str(account.id)

    async def delete_account(operation: Operation[Settings]) -> Account:
        account = await find_live(who, operation)
        await _accounts(operation).delete(account.id, actor_id=None, session_id=None, origin=COMMAND_LINE, force=force)
        return await find_by_id(account.id, operation)

    with explained(UserNotFound), _last_admin_explained():
        print_account(operate(Settings, delete_account), as_json=as_json)


def restore(who: str, *, as_json: bool) -> None:
    """Restores a deleted account."""

    async def restore_account(operation: Operation[Settings]) -> Account:
        account = await find_account(who, operation)
        try:
            await _accounts(operation).restore(account.id, actor_id=None, session_id=None, origin=COMMAND_LINE)
        except UserNotDeleted:
            fail(f"{named(account)} is not deleted")
        except RestoreEmailTaken:
            holder = next(iter(await operator_queries.find_by_email(operation.database, account.email)), account)
            fail(f"{named(account)} cannot be restored: user {holder.id} has its address now")
        return await find_by_id(account.id, operation)

    print_account(operate(Settings, restore_account), as_json=as_json)


def set_role(who: str, role: str, *, force: bool, as_json: bool) -> None:
    """Sets the role of a live account, and prints it."""

    async def set_it(operation: Operation[PlatformSettings]) -> Account:
        account = await find_live(who, operation)
        await Roles(operation.audit, operation.ender).set(account.id, Role(role), origin=COMMAND_LINE, force=force)
        return await find_by_id(account.id, operation)

    with explained(UserNotFound), _last_admin_explained():
        print_account(operate(PlatformSettings, set_it), as_json=as_json)


@contextmanager
def _last_admin_explained() -> Iterator[None]:
    try:
        yield
    except LastAdmin:
        fail("this is the last admin: make another user an admin first, or add --force")


def _accounts(operation: Operation[Settings]) -> Accounts:
    address_change = AddressChange.of(operation.settings, operation.outbox)
    return Accounts(operation.database, operation.audit, operation.ender, address_change)


def _confirms(question: str) -> bool:
    # typer.confirm would write to standard output, which is kept for JSON.
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
