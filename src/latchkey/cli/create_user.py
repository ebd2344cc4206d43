"""`latchkey users create`: an account made by whoever runs the service."""

import sys
from dataclasses import asdict
from getpass import getpass

from pydantic import ValidationError

from latchkey.auth.hashing import PasswordHasher
from latchkey.auth.registration import RegistrationDesk
from latchkey.auth.schemas import PASSWORD_MAX_BYTES, password_bodies
from latchkey.cli.accounts import by_id
from latchkey.cli.failing import fail
from latchkey.cli.operation import COMMAND_LINE, Operation, operate
from latchkey.cli.output import print_fields, print_json
from latchkey.mail.outbox import Outbox
from latchkey.users.errors import EmailTaken
from latchkey.users.operator_queries import Account

# In place of one that nobody has chosen yet: as long as may be, so that no minimum refuses it.
UNCHOSEN_PASSWORD = "-" * PASSWORD_MAX_BYTES


def create_user(name: str, email: str, *, invited: bool, as_json: bool) -> None:
    """Makes an account and prints it. Its password is standard input's first line, or, `invited`, what the user
    chooses by the link in a mail. Fails, making nothing, where registration would refuse a field."""
    password = None if invited else _read_password()

    async def create(operation: Operation) -> Account:
        settings = operation.settings
        if invited and not settings.mail_is_sent():
            fail("no invitation can be mailed: SMTP_URL is not set")
        model = password_bodies(settings.password_min_length).registration
        try:
            body = model.model_validate(
                {"name": name, "email": email, "password": UNCHOSEN_PASSWORD if invited else password}
            )
        except ValidationError as error:
            fail("; ".join(f"{detail['loc'][0]} {detail['msg']}" for detail in error.errors(include_input=False)))
        desk = RegistrationDesk(
            operation.audit,
            PasswordHasher(settings.bcrypt_rounds, queue_seconds=settings.hash_queue_seconds),
            Outbox(operation.database),
            require_verified_email=settings.require_verified_email,
        )
        try:
            user = await desk.create(body.name, body.email, password, COMMAND_LINE)
        except EmailTaken:
            fail(f"somebody has the address {body.email} already")
        return await by_id(operation, user.id)

    account = asdict(operate(create))
    if as_json:
        print_json(account)
    else:
        print_fields(account)


def _read_password() -> str:
    if sys.stdin.isatty():
        return getpass("Password: ", stream=sys.stderr)
    return sys.stdin.readline().removesuffix("\n")
