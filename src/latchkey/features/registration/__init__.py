"""Registration: new accounts, by their users or by an operator."""

from latchkey.feature import Feature
from latchkey.features.registration.actions import RegistrationAction
from latchkey.features.registration.mails import INVITATION_MAIL

REGISTRATION = Feature(
    name="registration",
    actions=RegistrationAction,
    mails=(INVITATION_MAIL,),
    commands="latchkey.features.registration.commands",
)
