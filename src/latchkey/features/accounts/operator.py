"""Delete and restore of an account, for an operator at the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from latchkey.feature import PlatformSettings
from latchkey.features.accounts.errors import LastAdmin, RestoreEmailTaken, UserNotDeleted
from latchkey.features.accounts.service import Accounts
from latchkey.features.email_verification.address_change import AddressChange
from latchkey.features.email_verification.settings import EmailVerificationSettings
from latchkey.terminal.accounts import confirmed_or_fail, find_account, find_by_id, find_live, named, print_account
from latchkey.terminal.failing import explained, fail
from latchkey.terminal.operation import OPERATOR, Operation, operate
from latchkey.users import operator_queries
from latchkey.users.errors import UserNotFound
from latchkey.users.operator_queries import Account


class Settings(EmailVerificationSettings, PlatformSettings):
    """Settings that these commands read."""


def delete(who: str, *, confirmed: bool, force: bool, as_json: bool) -> None:
    """Deletes an account and ends its sessions. Without `confirmed` it asks first, and fails if stdin is no
    terminal."""
    account = operate(Settings, partial(find_live, who))
    confirmed_or_fail(f"Delete {named(account)} and end all its sessions?", confirmed=confirmed)
    who = str(account.id)

    async def delete_account(operation: Operation[Settings]) -> Account:
        account = await find_live(who, operation)
        await _accounts(operation).delete(account.id, OPERATOR, force=force)
        return await find_by_id(account.id, operation)

    with explained(UserNotFound), _last_admin_explained():
        print_account(operate(Settings, delete_account), as_json=as_json)


def restore(who: str, *, as_json: bool) -> None:
    """Restores a deleted account."""

    async def restore_account(operation: Operation[Settings]) -> Account:
        account = await find_account(who, operation)
        try:
            await _accounts(operation).restore(account.id, OPERATOR)
        except UserNotDeleted:
            fail(f"{named(account)} is not deleted")
        except RestoreEmailTaken:
            holder = next(iter(await operator_queries.find_by_email(operation.database, account.email)), account)
            fail(f"{named(account)} cannot be restored: user {holder.id} has its address now")
        return await find_by_id(account.id, operation)

    print_account(operate(Settings, restore_account), as_json=as_json)


@contextmanager
def _last_admin_explained() -> Iterator[None]:
    try:
        yield
    except LastAdmin:
        fail("this is the last admin: make another user an admin first, or add --force")


def _accounts(operation: Operation[Settings]) -> Accounts:
    address_change = AddressChange.of(operation.settings, operation.outbox)
    return Accounts(operation.database, operation.audit, operation.ender, address_change)
