"""Passwords: change, recovery by mail, reset links and their page."""

from latchkey.feature import Feature
from latchkey.features.passwords.actions import PasswordAction
from latchkey.features.passwords.chores import CHORES
from latchkey.features.passwords.mails import PASSWORD_CHANGED_NOTICE, RESET_MAIL

PASSWORDS = Feature(
    name="passwords",
    actions=PasswordAction,
    mails=(RESET_MAIL, PASSWORD_CHANGED_NOTICE),
    chores=lambda _: CHORES,
    checks="latchkey.features.passwords.checks",
    commands="latchkey.features.passwords.commands",
)
