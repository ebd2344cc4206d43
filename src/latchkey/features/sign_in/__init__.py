"""Sign-in: the door that every sign-in passes, its steps, the password, and the throttle against guessing."""

from latchkey.feature import Feature
from latchkey.features.sign_in.actions import SignInAction
from latchkey.features.sign_in.mails import NEW_DEVICE_NOTICE

SIGN_IN = Feature(
    name="sign_in", actions=SignInAction, mails=(NEW_DEVICE_NOTICE,), checks="latchkey.features.sign_in.checks"
)
