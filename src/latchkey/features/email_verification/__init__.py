"""E-mail verification: a link verifies an address, and confirms a change of address."""

from latchkey.feature import Feature
from latchkey.features.email_verification.actions import EmailVerificationAction
from latchkey.features.email_verification.chores import CHORES
from latchkey.features.email_verification.mails import CONFIRM_MAIL, EMAIL_CHANGED_NOTICE, VERIFY_MAIL

EMAIL_VERIFICATION = Feature(
    name="email_verification",
    actions=EmailVerificationAction,
    mails=(VERIFY_MAIL, CONFIRM_MAIL, EMAIL_CHANGED_NOTICE),
    chores=lambda _: CHORES,
    checks="latchkey.features.email_verification.checks",
    commands="latchkey.features.email_verification.commands",
)
