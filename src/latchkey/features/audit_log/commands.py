"""Commands that read the audit log."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from latchkey.terminal.arguments import AsJson, Known, Limit

GROUP = "audit"
commands = typer.Typer()

OfUser = Annotated[str | None, typer.Option("--user", metavar="ID_OR_EMAIL", help="Only rows by or about this user.")]
OfAction = Annotated[
    str | None, typer.Option("--action", metavar="ACTION", help="Only rows of this action, such as LOGIN.")
]
OfAddress = Annotated[str | None, typer.Option("--ip", metavar="ADDRESS", help="Only requests from this address.")]
Since = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Only rows from then on, such as 2027-01-31T12:00:00Z.")
]
Until = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Only rows until then.")]
OfActor = Annotated[int | None, typer.Option("--actor", metavar="ID", help="Only rows by this user.")]
OfEntity = Annotated[int | None, typer.Option("--entity", metavar="ID", help="Only rows about this user.")]
OfKey = Annotated[str | None, typer.Option("--api-key", metavar="ID", help="Only rows of this API key; needs --from.")]


@commands.command("list")
def list_audit(
    context: typer.Context,
    user: OfUser = None,
    action: OfAction = None,
    ip: OfAddress = None,
    since: Since = None,
    until: Until = None,
    actor: OfActor = None,
    entity: OfEntity = None,
    api_key: OfKey = None,
    limit: Limit = 20,
    follow: Annotated[bool, typer.Option("--follow", help="Then print new rows as they come, until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """List audit rows, newest first; with --follow, oldest first."""
    from latchkey.features.audit_log.operator import Filters, list_rows

    known: Known = context.obj
    filters = Filters(user, action, ip, since, until, actor, entity, api_key, known.actions)
    list_rows(filters, limit=limit, follow=follow, as_json=as_json)


@commands.command("export")
def export_audit(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    user: OfUser = None,
    action: OfAction = None,
    ip: OfAddress = None,
    since: Since = None,
    until: Until = None,
    actor: OfActor = None,
    entity: OfEntity = None,
    api_key: OfKey = None,
    form: Annotated[Literal["ndjson", "csv"], typer.Option("--format", help="How rows are written.")] = "ndjson",
) -> None:
    """Write audit rows to a file that only you can read. It is whole, or it is not there."""
    from latchkey.features.audit_log.operator import Filters, export

    known: Known = context.obj
    export(Filters(user, action, ip, since, until, actor, entity, api_key, known.actions), file, form)
