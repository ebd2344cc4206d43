"""Commands about accounts."""

from typing import Annotated

import typer

from latchkey.terminal.arguments import AsJson, Force, Limit, Who

GROUP = "users"
commands = typer.Typer()

COLUMNS = ("id", "name", "email", "role", "created_at", "live_sessions")
DELETED_COLUMNS = ("id", "name", "email", "created_at", "deleted_at")


@commands.command("list")
def list_users(
    limit: Limit = 20,
    page: Annotated[int, typer.Option(min=1, max=2_147_483_647, metavar="N", help="Page number, from 1.")] = 1,
    deleted: Annotated[bool, typer.Option("--deleted", help="List deleted users instead of live ones.")] = False,
    as_json: AsJson = False,
) -> None:
    """List users, newest first."""
    from dataclasses import asdict

    from latchkey.feature import PlatformSettings
    from latchkey.terminal.operation import Operation, operate
    from latchkey.terminal.output import print_json, print_line, print_table
    from latchkey.users import operator_queries
    from latchkey.users.operator_queries import Account

    async def read(operation: Operation[PlatformSettings]) -> tuple[list[Account], int]:
        database = operation.database
        accounts = await operator_queries.page(database, deleted=deleted, limit=limit, offset=(page - 1) * limit)
        return accounts, await operator_queries.count(database, deleted=deleted)

    accounts, total = operate(PlatformSettings, read)
    if as_json:
        print_json({"users": [asdict(each) for each in accounts], "page": page, "limit": limit, "total": total})
        return
    columns = DELETED_COLUMNS if deleted else COLUMNS
    print_table(columns, [[getattr(each, column) for column in columns] for each in accounts])
    print_line(f"{len(accounts)} of {total} {'deleted' if deleted else 'live'} users, page {page}")


@commands.command("show")
def show_user(who: Who, as_json: AsJson = False) -> None:
    """Show one user, deleted or not."""
    from functools import partial

    from latchkey.feature import PlatformSettings
    from latchkey.terminal.accounts import find_account, print_account
    from latchkey.terminal.operation import operate

    print_account(operate(PlatformSettings, partial(find_account, who)), as_json=as_json)


@commands.command("delete")
def delete_user(
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Mark a user as deleted and end all their sessions."""
    from latchkey.features.accounts.operator import delete

    delete(who, confirmed=yes, force=force, as_json=as_json)


@commands.command("restore")
def restore_user(who: Who, as_json: AsJson = False) -> None:
    """Restore a deleted user, whether they or an operator deleted it, at any time."""
    from latchkey.features.accounts.operator import restore

    restore(who, as_json=as_json)
