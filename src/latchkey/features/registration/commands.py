"""Commands about registration."""

from typing import Annotated

import typer

from latchkey.terminal.arguments import AsJson

GROUP = "users"
commands = typer.Typer()


@commands.command("create")
def create_user(
    name: Annotated[str, typer.Option(metavar="NAME", help="The user's name.")],
    email: Annotated[str, typer.Option(metavar="ADDRESS", help="The user's e-mail address.")],
    invite: Annotated[
        bool, typer.Option("--invite", help="Mail them a link to choose a password; else it is read from here.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make an account, also while REGISTRATION is closed. The password is read from standard input, or asked for."""
    from latchkey.features.registration.operator import create

    create(name, email, invited=invite, as_json=as_json)
