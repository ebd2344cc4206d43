"""An account that an operator creates with a password or with an invitation by mail."""

import sys
from getpass import getpass

from pydantic import ValidationError

from latchkey.feature import PlatformSettings
from latchkey.features.email_verification.settings import EmailVerificationSettings
from latchkey.features.passwords.settings import PasswordSettings
from latchkey.features.registration import bodies
from latchkey.features.registration.registration import AccountCreation
from latchkey.hashing.bcrypt_hashes import PASSWORD_MAX_BYTES
from latchkey.hashing.hasher import PasswordHasher
from latchkey.terminal.accounts import find_by_id, print_account
from latchkey.terminal.failing import fail
from latchkey.terminal.operation import OPERATOR, Operation, operate
from latchkey.users.errors import EmailTaken
from latchkey.users.operator_queries import Account

# Stands in for the password that an invited user chooses later. Its length passes every PASSWORD_MIN_LENGTH.
UNCHOSEN_PASSWORD = "-" * PASSWORD_MAX_BYTES


class Settings(PasswordSettings, EmailVerificationSettings, PlatformSettings):
    """Settings that this command reads."""


def create(name: str, email: str, *, invited: bool, as_json: bool) -> None:
    """Creates an account and prints it.

    `invited`: the user chooses the password by a mailed link. Otherwise it is the first line of standard input. Fails
    without a change where registration would refuse a field.
    """
    password = None if invited else _read_password()

    async def create_account(operation: Operation[Settings]) -> Account:
        settings = operation.settings
        if invited and not settings.mail_is_sent():
            fail("SMTP_URL is not set: no invitation can be mailed")
        model = bodies.registration(password_min=settings.password_min_length, name_min=settings.name_min_length)
        try:
            body = model.model_validate(
                {"name": name, "email": email, "password": UNCHOSEN_PASSWORD if invited else password}
            )
        except ValidationError as error:
            fail("; ".join(f"{detail['loc'][0]} {detail['msg']}" for detail in error.errors(include_input=False)))
        creation = AccountCreation(
            audit=operation.audit,
            hasher=PasswordHasher(settings.bcrypt_rounds, queue_seconds=settings.hash_queue_seconds),
            outbox=operation.outbox,
            require_verified_email=settings.require_verified_email,
        )
        try:
            user = await creation.create(body.name, body.email, password, OPERATOR)
        except EmailTaken:
            fail(f"another user already has the address {body.email}")
        return await find_by_id(user.id, operation)

    print_account(operate(Settings, create_account), as_json=as_json)


def _read_password() -> str:
    if sys.stdin.isatty():
        return getpass("Password: ", stream=sys.stderr)
    return sys.stdin.readline().removesuffix("\n")
