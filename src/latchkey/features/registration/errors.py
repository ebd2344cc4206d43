"""What registration refuses."""

from latchkey.refusal import Refusal


class RegistrationClosed(Refusal):
    """REGISTRATION is closed."""

    status, code = 403, "REGISTRATION_CLOSED"
    message = "Registration is closed; ask whoever runs this service for an account"
