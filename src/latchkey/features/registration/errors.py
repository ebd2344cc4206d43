"""Refusals of registration."""

from latchkey.refusal import Refusal


class RegistrationClosed(Refusal):
    """Refuses a registration because REGISTRATION is `closed`."""

    status, code = 403, "REGISTRATION_CLOSED"
    message = "Registration is closed. Ask the operator of this service for an account."
