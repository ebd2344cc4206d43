"""The administration of users at the operator's command line."""

from collections.abc import Awaitable, Callable
from functools import partial

from pydantic import ValidationError

from latchkey.feature import PlatformSettings
from latchkey.features.accounts.errors import LastAdmin
from latchkey.features.email_verification.address_change import AddressChange
from latchkey.features.email_verification.settings import EmailVerificationSettings
from latchkey.features.user_administration.bodies import Suspension
from latchkey.features.user_administration.changes import UNTIL_MUST_BE_FUTURE, UserChanges
from latchkey.features.user_administration.errors import DeleteFirst
from latchkey.features.user_administration.reading import UserReader
from latchkey.features.user_administration.search import Page, Search
from latchkey.features.user_administration.update import UserUpdate, Wanted
from latchkey.features.user_administration.views import AdminUser
from latchkey.refusal import ValidationFailed
from latchkey.terminal.accounts import confirmed_or_fail, find_account, find_by_id, find_live, named, print_account
from latchkey.terminal.failing import explained, fail
from latchkey.terminal.operation import OPERATOR, Operation, operate
from latchkey.terminal.output import print_json, print_line, print_table
from latchkey.users.errors import UserNotFound
from latchkey.users.operator_queries import Account
from latchkey.users.role import Role

COLUMNS = ("id", "name", "email", "role", "created_at", "suspended_at", "deleted_at")
LAST = "this is the last admin: make another user an admin first, or add --force"


class Settings(EmailVerificationSettings, PlatformSettings):
    """Settings that these commands read."""


def find(search: Search, *, limit: int, as_json: bool) -> None:
    """Prints the users of a search."""

    async def read(operation: Operation[PlatformSettings]) -> tuple[list[AdminUser], bool]:
        users, following = await UserReader(operation.database).page(search, Page(limit, None))
        return users, following is not None

    users, more = operate(PlatformSettings, read)
    if as_json:
        print_json([user.model_dump() for user in users])
        return
    print_table(COLUMNS, [[getattr(user, column) for column in COLUMNS] for user in users])
    noun = "user" if len(users) == 1 else "users"
    print_line(f"{len(users)} {noun}" + (", and more: use --limit or another word" if more else ""))


def suspend(who: str, reason: str, until: str | None, *, force: bool, as_json: bool) -> None:
    """Suspends a live account, and prints it."""
    given = {"reason": reason} | ({"until": until} if until is not None else {})
    try:
        body = Suspension.model_validate(given)
    except ValidationError as error:
        fail("; ".join(f"--{detail['loc'][0]} {detail['msg']}" for detail in error.errors(include_input=False)))

    async def work(operation: Operation[Settings], account: Account) -> None:
        await _changes(operation).suspend(account.id, body.reason, body.until, OPERATOR, force=force)

    _change(who, work, as_json=as_json)


def unsuspend(who: str, *, as_json: bool) -> None:
    """Ends the suspension of a live account, and prints it."""

    async def work(operation: Operation[Settings], account: Account) -> None:
        await _changes(operation).unsuspend(account.id, OPERATOR)

    _change(who, work, as_json=as_json)


def set_role(who: str, role: str, *, force: bool, as_json: bool) -> None:
    """Sets the role of a live account, and prints it."""

    async def work(operation: Operation[Settings], account: Account) -> None:
        update = UserUpdate(
            audit=operation.audit,
            ender=operation.ender,
            address_change=AddressChange.of(operation.settings, operation.outbox),
        )
        await update.update(account.id, Wanted(role=Role(role)), OPERATOR, force=force)

    _change(who, work, as_json=as_json)


def erase(who: str, *, confirmed: bool, as_json: bool) -> None:
    """Erases a deleted account. Without `confirmed` it asks first, and fails if stdin is no terminal."""
    account = operate(PlatformSettings, partial(find_account, who))
    confirmed_or_fail(f"Erase {named(account)} for good?", confirmed=confirmed)

    async def erase_account(operation: Operation[Settings]) -> None:
        try:
            await _changes(operation).erase(account.id, OPERATOR)
        except DeleteFirst:
            fail(f"{named(account)} is not deleted: delete it first (latchkey users delete {account.id})")

    with explained(UserNotFound):
        operate(Settings, erase_account)
    if as_json:
        print_json({"erased": account.id})
    else:
        print_line(f"{named(account)} is erased")


def _change(who: str, work: Callable[[Operation[Settings], Account], Awaitable[None]], *, as_json: bool) -> None:
    async def change(operation: Operation[Settings]) -> Account:
        account = await find_live(who, operation)
        try:
            await work(operation, account)
        except LastAdmin:
            fail(LAST)
        except ValidationFailed:
            fail(f"--until {UNTIL_MUST_BE_FUTURE}")
        return await find_by_id(account.id, operation)

    with explained(UserNotFound):
        print_account(operate(Settings, change), as_json=as_json)


def _changes(operation: Operation[Settings]) -> UserChanges:
    return UserChanges(
        audit=operation.audit,
        ender=operation.ender,
        outbox=operation.outbox,
        mail_is_sent=operation.settings.mail_is_sent(),
    )
