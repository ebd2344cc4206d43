"""Commands of e-mail verification."""

import typer

from latchkey.terminal.arguments import AsJson, Who

GROUP = "users"
commands = typer.Typer()


@commands.command("verify")
def verify_user(who: Who, as_json: AsJson = False) -> None:
    """Mark a user's e-mail address as verified, without a mail."""
    from latchkey.audit.event import Event
    from latchkey.audit.record import Change
    from latchkey.feature import PlatformSettings
    from latchkey.features.email_verification import queries
    from latchkey.features.email_verification.actions import EmailVerificationAction
    from latchkey.terminal.accounts import find_by_id, find_live, print_account
    from latchkey.terminal.operation import COMMAND_LINE, Operation, operate
    from latchkey.users.operator_queries import Account

    async def verify(operation: Operation[PlatformSettings]) -> Account:
        account = await find_live(who, operation)

        async def mark(change: Change) -> None:
            if await queries.mark_verified(change.connection, account.id, account.email.lower()):
                await change.record(
                    Event(
                        EmailVerificationAction.VERIFY_EMAIL,
                        None,
                        account.id,
                        COMMAND_LINE,
                        changed=("email_verified_at",),
                    )
                )

        await operation.audit.change(mark)
        return await find_by_id(account.id, operation)

    print_account(operate(PlatformSettings, verify), as_json=as_json)
