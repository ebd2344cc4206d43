"""Commands about signing keys."""

from typing import Annotated, Literal

import typer

from latchkey.terminal.arguments import AsJson

GROUP = "keys"
commands = typer.Typer()


@commands.command("init")
def init_keys(
    alg: Annotated[
        Literal["ES256", "EdDSA"] | None,
        typer.Option(help="The algorithm. Default: ES256, which every library knows. .NET and Spring lack EdDSA."),
    ] = None,
    discard_unreadable: Annotated[
        bool,
        typer.Option("--discard-unreadable", help="Give up the keys that cannot be opened with JWT_REFRESH_SECRET."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the first signing key, or the first one of another algorithm. It signs in an hour.

    Run this when all instances have a version with signing keys. Until the key signs, access tokens are signed with
    JWT_ACCESS_SECRET.
    """
    from latchkey.features.signing_keys.operator import init

    init(alg, discard_unreadable=discard_unreadable, as_json=as_json)


@commands.command("rotate")
def rotate_keys(
    now: Annotated[
        bool, typer.Option("--now", help="The new key signs at once: programs that keep the old list must fetch it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the next signing key. It signs in an hour; the one before verifies for two hours more."""
    from latchkey.features.signing_keys.operator import rotate

    rotate(now=now, as_json=as_json)


# A kid may begin with a hyphen, and is no option then.
@commands.command("retire", context_settings={"ignore_unknown_options": True})
def retire_key(
    kid: Annotated[str, typer.Argument(metavar="KID", help="The key's id, as latchkey keys list shows it.")],
    as_json: AsJson = False,
) -> None:
    """Refuse all tokens of a key from now on. Not the one that signs: rotate first."""
    from latchkey.features.signing_keys.operator import retire

    retire(kid, as_json=as_json)


@commands.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List all signing keys, oldest first, with those that have left."""
    from latchkey.features.signing_keys.operator import show

    show(as_json=as_json)
