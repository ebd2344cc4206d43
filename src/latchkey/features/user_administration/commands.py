"""Commands about users that admins have at /admin/users, too."""

from typing import Annotated, Literal

import typer

from latchkey.terminal.arguments import AsJson, Force, Limit, Who

GROUP = "users"
commands = typer.Typer()


@commands.command("find")
def find_users(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD]...", help="Beginnings of words of name or address.")
    ] = None,
    email: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Only this address.")] = None,
    domain: Annotated[str | None, typer.Option(metavar="DOMAIN", help="Only addresses of this domain.")] = None,
    role: Annotated[Literal["user", "admin"] | None, typer.Option(help="Only users with this role.")] = None,
    verified: Annotated[
        bool | None, typer.Option("--verified/--unverified", help="Only verified addresses, or only others.")
    ] = None,
    suspended: Annotated[
        bool | None, typer.Option("--suspended/--not-suspended", help="Only suspended users, or only others.")
    ] = None,
    deleted: Annotated[Literal["false", "true", "any"], typer.Option(help="Also or only deleted users.")] = "false",
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Find users by part of their name or address, newest first."""
    from latchkey.features.user_administration.operator import find
    from latchkey.features.user_administration.search import Search
    from latchkey.users.role import Role

    search = Search(
        q=" ".join(words) if words else None,
        email=email and email.lower(),
        domain=domain and domain.lower(),
        role=Role(role) if role else None,
        verified=verified,
        suspended=suspended,
        deleted=deleted,
    )
    find(search, limit=limit, as_json=as_json)


@commands.command("suspend")
def suspend_user(
    who: Who,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, up to 500 characters.")],
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it ends, such as 2027-01-31T12:00:00Z. Default: never.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Suspend a user: ends their sessions, and nobody signs in until the suspension ends."""
    from latchkey.features.user_administration.operator import suspend

    suspend(who, reason, until, force=force, as_json=as_json)


@commands.command("unsuspend")
def unsuspend_user(who: Who, as_json: AsJson = False) -> None:
    """End the suspension of a user."""
    from latchkey.features.user_administration.operator import unsuspend

    unsuspend(who, as_json=as_json)


@commands.command("set-role")
def set_role(
    who: Who,
    role: Annotated[Literal["user", "admin"], typer.Argument(help="The new role.")],
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Make a user an admin, or an admin a user. Another role ends all their sessions."""
    from latchkey.features.user_administration.operator import set_role as run

    run(who, role, force=force, as_json=as_json)


@commands.command("erase")
def erase_user(
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a deleted user for good. Their audit rows stay."""
    from latchkey.features.user_administration.operator import erase

    erase(who, confirmed=yes, as_json=as_json)


@commands.command("invite")
def invite_user(
    name: Annotated[str, typer.Option(metavar="NAME", help="The user's name.")],
    email: Annotated[str, typer.Option(metavar="ADDRESS", help="The user's e-mail address.")],
    as_json: AsJson = False,
) -> None:
    """Create an account whose user chooses a password by a mailed link: the same as `users create --invite`."""
    from latchkey.features.registration.operator import create

    create(name, email, invited=True, as_json=as_json)
