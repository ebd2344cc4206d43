"""The `latchkey` command. Every command's declaration is imported at start; its work only when it runs."""

import io
import sys
from importlib import import_module
from typing import Annotated, Literal
from uuid import UUID

import typer

from latchkey import __version__
from latchkey.app import ACTIONS, FEATURES, SCOPES
from latchkey.terminal.arguments import AsJson, Known, Limit, User

app = typer.Typer(
    name="latchkey",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    # For commands of features, which cannot import the table of contents.
    context_settings={"obj": Known(SCOPES, ACTIONS)},
)
users = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Find, change, invite, suspend, move in and erase users."
)
sessions = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List and end the sessions of a user.")
audit = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Read the audit log.")
mail = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List the mail outbox and retry failed mails.")
keys = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Manage the keys that sign access tokens.")
api_keys = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Create, list and revoke API keys for servers."
)
app.add_typer(users, name="users")
app.add_typer(sessions, name="sessions")
app.add_typer(audit, name="audit")
app.add_typer(mail, name="mail")
app.add_typer(keys, name="keys")
app.add_typer(api_keys, name="api-keys")
GROUPS = {"users": users, "sessions": sessions, "audit": audit, "mail": mail, "keys": keys, "api-keys": api_keys}

for feature in FEATURES:
    if feature.commands is not None:
        module = import_module(feature.commands)
        GROUPS[module.GROUP].registered_commands += module.commands.registered_commands


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """User accounts and sign-in for your app.

    Settings are read from the environment and from .env in the current directory; `latchkey doctor` checks them.
    """


@app.command()
def dev() -> None:
    """Serve on a developer's machine, without any setup.

    Starts an embedded PostgreSQL (unless DATABASE_URL is set), makes secrets, prints mails, and reloads the code when
    it changes. Ctrl-C stops everything. DATA_DIR, by default .latchkey, keeps data and secrets.
    """
    from latchkey.cli.dev import dev as run

    run()


@app.command()
def serve(
    migrate: Annotated[bool, typer.Option("--migrate", help="Migrate the schema first.")] = False,
) -> None:
    """Serve in production. Needs DATABASE_URL, JWT_ACCESS_SECRET and JWT_REFRESH_SECRET."""
    from latchkey.cli.serve import serve as run

    run(migrate_first=migrate)


@app.command()
def migrate(
    source_timezone: Annotated[
        str | None,
        typer.Option(metavar="TZ", help="Time zone of node-api-postgres's timestamps. Default: the database's."),
    ] = None,
    null_flags: Annotated[
        Literal["active", "deleted"] | None, typer.Option(help="Treat users whose is_deleted is NULL as this.")
    ] = None,
    duplicate_emails: Annotated[
        Literal["keep-oldest", "keep-newest"] | None,
        typer.Option(help="Keep this one of the users with one address; mark the others as deleted."),
    ] = None,
    orphan_audits: Annotated[
        Literal["clear"] | None, typer.Option(help="Clear the actor of audit rows whose actor does not exist.")
    ] = None,
    duplicate_reset_tokens: Annotated[
        Literal["clear"] | None, typer.Option(help="Remove reset tokens that several users share.")
    ] = None,
) -> None:
    """Migrate the database to the schema of this version. Needs DATABASE_URL.

    The database may be empty, of an older version, or of node-api-postgres. Rows that break the new rules are listed
    first, with the option that settles each.
    """
    from latchkey.cli.migrate import migrate_database
    from latchkey.database.adoption.adoption import Resolutions

    resolve = Resolutions(
        null_flags=null_flags,
        duplicate_emails=duplicate_emails,
        orphan_audits=orphan_audits,
        duplicate_reset_tokens=duplicate_reset_tokens,
    )
    migrate_database(source_timezone=source_timezone, resolve=resolve)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check settings, secrets, database, rate limit store and mail. Exit code 1: at least one has a problem."""
    from latchkey.cli.doctor import doctor as run

    run(as_json=as_json)


@app.command()
def purge(as_json: AsJson = False) -> None:
    """Run housekeeping now: remove ended sessions, used tokens, sent mails, and what the settings say."""
    from latchkey.cli.purge import purge as run

    run(as_json=as_json)


@sessions.command("list")
def sessions_list(user: User, as_json: AsJson = False) -> None:
    """List a user's sessions, newest use first."""
    from latchkey.cli.sessions import list_sessions

    list_sessions(user, as_json=as_json)


@sessions.command("revoke")
def sessions_revoke(
    user: User,
    session: Annotated[
        UUID | None, typer.Option("--session", metavar="UUID", help="End only this session. Default: all of them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sign a user out, everywhere or from one session."""
    from latchkey.cli.sessions import revoke_sessions

    revoke_sessions(user, session, as_json=as_json)


@mail.command("list")
def mail_list(
    state: Annotated[
        Literal["waiting", "failed", "sent"] | None, typer.Option(help="Only mails in this state. `failed`: given up.")
    ] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List mails, newest first."""
    from latchkey.cli.mail import list_mail

    list_mail(state=state, limit=limit, as_json=as_json)


@mail.command("retry")
def mail_retry(
    mail_id: Annotated[
        int | None, typer.Argument(metavar="[ID]", min=0, help="The id of a mail that was given up.")
    ] = None,
    all_failed: Annotated[bool, typer.Option("--all", help="Retry all mails that were given up.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send mails that were given up, now. A link that was used or replaced is not sent again."""
    from latchkey.cli.mail import retry_mail

    retry_mail(mail_id, all_failed=all_failed, as_json=as_json)


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name that the terminal cannot show must not make a command fail.
            stream.reconfigure(errors="backslashreplace")
    app()
