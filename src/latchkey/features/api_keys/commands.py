"""Commands about API keys."""

from typing import Annotated

import typer

from latchkey.terminal.arguments import AsJson, Known

GROUP = "api-keys"
commands = typer.Typer()

DAYS_MAX, DAYS_DEFAULT = 3650, 365


@commands.command("create")
def create_key(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for, up to 100 characters.")],
    scope: Annotated[
        list[str], typer.Option(metavar="SCOPE", help="What the key may do. Repeat it for several scopes.")
    ],
    expires_in_days: Annotated[
        int, typer.Option(min=1, max=DAYS_MAX, metavar="N", help="Days after which the key expires.")
    ] = DAYS_DEFAULT,
    no_expiry: Annotated[bool, typer.Option("--no-expiry", help="The key never expires.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create an API key for a server of yours, and print it. It is shown this once: only its hash is stored."""
    from latchkey.features.api_keys.operator import create

    known: Known = context.obj
    create(name, scope, known=known.scopes, expires_in_days=None if no_expiry else expires_in_days, as_json=as_json)


@commands.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List API keys, newest first, expired and revoked ones included."""
    from latchkey.features.api_keys.operator import list_all

    list_all(as_json=as_json)


@commands.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id: `latchkey api-keys list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Revoke an API key. Every instance refuses it within two seconds."""
    from latchkey.features.api_keys.operator import revoke

    revoke(key_id, as_json=as_json)
