"""Registration: users and operators create accounts."""

from latchkey.feature import Feature
from latchkey.features.registration.actions import RegistrationAction
from latchkey.features.registration.mails import INVITATION_MAIL

REGISTRATION = Feature(
    name="registration",
    actions=RegistrationAction,
    mails=(INVITATION_MAIL,),
    commands="latchkey.features.registration.commands",
)
