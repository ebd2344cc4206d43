"""`latchkey users`: accounts, as whoever runs the service sees and changes them."""

import sys
from dataclasses import asdict
from functools import partial

from latchkey.audit.actions import Action, Event
from latchkey.audit.record import Change
from latchkey.auth.reset_links import RESET_TOKEN_MINUTES, ResetLink, ResetLinks
from latchkey.cli.accounts import by_id, found, live, named
from latchkey.cli.failing import explained, fail
from latchkey.cli.operation import COMMAND_LINE, Operation, operate
from latchkey.cli.output import print_fields, print_json, print_line, print_table
from latchkey.users import email_queries, operator_queries
from latchkey.users.errors import RestoreEmailTaken, UserNotDeleted, UserNotFound
from latchkey.users.operator_queries import Account

COLUMNS = ("id", "name", "email", "created_at", "live_sessions")
DELETED_COLUMNS = ("id", "name", "email", "created_at", "deleted_at")


def list_users(*, limit: int, page: int, deleted: bool, as_json: bool) -> None:
    """Prints a page of the live accounts, or of the deleted ones."""

    async def read(operation: Operation) -> tuple[list[Account], int]:
        database = operation.database
        accounts = await operator_queries.page(database, deleted=deleted, limit=limit, offset=(page - 1) * limit)
        return accounts, await operator_queries.count(database, deleted=deleted)

    accounts, total = operate(read)
    if as_json:
        print_json({"users": [asdict(each) for each in accounts], "page": page, "limit": limit, "total": total})
        return
    columns = DELETED_COLUMNS if deleted else COLUMNS
    print_table(columns, [[getattr(each, column) for column in columns] for each in accounts])
    print_line(f"{len(accounts)} of {total} {'deleted' if deleted else 'live'} users, page {page}")


def show_user(who: str, *, as_json: bool) -> None:
    """Prints one account, deleted or not."""
    _print(operate(partial(found, who)), as_json=as_json)


def delete_user(who: str, *, confirmed: bool, as_json: bool) -> None:
    """Deletes an account and ends its sessions. Asks first, unless `confirmed`; refuses where nobody can answer."""
    if not confirmed:
        if not sys.stdin.isatty():
            fail("deleting needs a confirmation: add --yes")
        account = operate(partial(live, who))
        if not _confirms(f"Delete {named(account)} and end all its sessions?"):
            fail("nothing was changed")
        who = str(account.id)

    async def delete(operation: Operation) -> Account:
        account = await live(who, operation)
        await operation.accounts.delete(account.id, actor_id=None, session_id=None, origin=COMMAND_LINE)
        return await by_id(operation, account.id)

    with explained(UserNotFound):
        _print(operate(delete), as_json=as_json)


def verify_user(who: str, *, as_json: bool) -> None:
    """Notes that an account's address is proved, on the operator's word."""

    async def verify(operation: Operation) -> Account:
        account = await live(who, operation)

        async def mark(change: Change) -> None:
            if await email_queries.mark_verified(change.connection, account.id, account.email.lower()):
                await change.record(
                    Event(Action.VERIFY_EMAIL, None, account.id, COMMAND_LINE, changed=("email_verified_at",))
                )

        await operation.audit.change(mark)
        return await by_id(operation, account.id)

    _print(operate(verify), as_json=as_json)


def restore_user(user_id: int, *, as_json: bool) -> None:
    """Restores a deleted account, whoever deleted it and whenever."""

    async def restore(operation: Operation) -> Account:
        account = await by_id(operation, user_id)
        try:
            await operation.accounts.restore(user_id, actor_id=None, session_id=None, origin=COMMAND_LINE)
        except UserNotDeleted:
            fail(f"{named(account)} is not deleted")
        except RestoreEmailTaken:
            holder = next(iter(await operator_queries.find_by_email(operation.database, account.email)), account)
            fail(f"{named(account)} cannot be restored: its address is by now that of user {holder.id}")
        return await by_id(operation, user_id)

    _print(operate(restore), as_json=as_json)


def make_reset_link(who: str, *, as_json: bool) -> None:
    """Prints a link that sets a new password: for whoever runs the service to hand over, where no mail is sent."""

    async def make(operation: Operation) -> ResetLink:
        settings = operation.settings
        if not settings.development and not (settings.public_url or settings.reset_url):
            fail("PUBLIC_URL is not set: the link would point to this machine")
        account = await live(who, operation)
        links = ResetLinks(page_url=settings.reset_page_url())

        async def make_link(change: Change) -> ResetLink | None:
            return await links.make(change, account.email.lower(), COMMAND_LINE)

        link = await operation.audit.change(make_link)
        if link is None:
            fail(f"{named(account)} has just been deleted or has changed its address")
        return link

    link = operate(make)
    if as_json:
        expires = RESET_TOKEN_MINUTES * 60
        print_json({"user_id": link.user_id, "email": link.email, "url": link.url, "expires_in_seconds": expires})
        return
    print_line(link.url)
    sys.stderr.write(
        f"It sets the password of user {link.user_id}, {link.email}: once, and for {RESET_TOKEN_MINUTES} minutes."
        " An earlier link has stopped working.\n"
    )


def _confirms(question: str) -> bool:
    # Not by typer.confirm, which writes to standard output, where JSON may be wanted.
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _print(account: Account, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(account))
    else:
        print_fields(asdict(account))
