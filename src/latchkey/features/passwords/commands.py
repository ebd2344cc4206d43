"""Commands of passwords."""

import typer

from latchkey.terminal.arguments import AsJson, Who

GROUP = "users"
commands = typer.Typer()


@commands.command("reset-link")
def make_reset_link(who: Who, as_json: AsJson = False) -> None:
    """Print a link that sets a new password. It works once, for 15 minutes."""
    from latchkey.features.passwords.operator import print_reset_link

    print_reset_link(who, as_json=as_json)
