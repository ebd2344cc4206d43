"""Commands of registration."""

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
        bool, typer.Option("--invite", help="Mail the user a link to choose a password; read none here.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create an account, even while REGISTRATION is closed. Reads the password from standard input, or asks for it."""
    from latchkey.features.registration.operator import create

    create(name, email, invited=invite, as_json=as_json)
