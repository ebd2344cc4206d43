"""Commands that import and export accounts."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from latchkey.terminal.arguments import AsJson

GROUP = "users"
commands = typer.Typer()

Source = Literal["auth0", "supabase", "django", "keycloak", "pocketbase", "node-api-postgres"]


@commands.command("import")
def import_users(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, readable=True, help="NDJSON or CSV, or what --from reads."
        ),
    ],
    source: Annotated[Source | None, typer.Option("--from", help="The program that the file is from.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all lines, and write nothing.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Write NDJSON: for each line the new id, or what is wrong."),
    ] = None,
    keep_ids: Annotated[bool, typer.Option("--keep-ids", help="Keep the ids of the file.")] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin at the first line, and give up an import that is unfinished.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import accounts from another service. Run it again after an interruption: it goes on where it stopped."""
    from latchkey.features.imports.import_operator import run_import

    run_import(
        file,
        source=source,
        dry_run=dry_run,
        report_file=report,
        keep_ids=keep_ids,
        restart=restart,
        as_json=as_json,
    )


@commands.command("export")
def export_users(
    file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="The file to write, with mode 0600.")],
    hashes: Annotated[bool, typer.Option("--hashes", help="Include the password hashes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Export all live accounts as NDJSON, as `latchkey users import` takes it."""
    from latchkey.features.imports.export_operator import run_export

    run_export(file, hashes=hashes, as_json=as_json)
