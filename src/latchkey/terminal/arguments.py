"""Arguments and options that several commands share. Imports nothing but Typer."""

from typing import Annotated, NamedTuple

import typer

Who = Annotated[str, typer.Argument(metavar="ID_OR_EMAIL", help="The user's id or e-mail address.")]
User = Annotated[str, typer.Option("--user", metavar="ID_OR_EMAIL", help="The user's id or e-mail address.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="Print at most this many.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Force = Annotated[bool, typer.Option("--force", help="Go on, even if no usable admin is left.")]


class Known(NamedTuple):
    """What the table of contents knows of all features, for the commands of one: the object of Typer's context."""

    scopes: tuple[str, ...]
    actions: tuple[str, ...]
