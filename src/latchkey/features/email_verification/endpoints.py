"""Endpoints of e-mail verification."""

from typing import Any

from latchkey.features.email_verification.bodies import EmailLinkRequest, EmailToken
from latchkey.features.email_verification.errors import EmailTokenRefused
from latchkey.features.email_verification.verification import EmailVerification
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.users.errors import EmailTaken

TAG = "Auth"


def verification_endpoints(verification: EmailVerification) -> list[Endpoint[Any]]:
    """Returns the endpoints that request a verification link and use it."""

    async def request_link(call: Call[EmailLinkRequest]) -> Reply:
        await verification.ask(call.body.email, call.origin)
        return Reply()

    async def verify_email(call: Call[EmailToken]) -> Reply:
        await verification.verify(call.body.token, call.origin)
        return Reply()

    return [
        Endpoint(
            method="POST",
            path="/auth/verify-email/request",
            handler=request_link,
            tag=TAG,
            summary="Ask for a link that verifies your e-mail address",
            description="The answer and its timing are the same whether or not an account has that address.",
            success=(Success(message="If email exists and is not verified, link sent"),),
            body=EmailLinkRequest,
        ),
        Endpoint(
            method="POST",
            path="/auth/verify-email",
            handler=verify_email,
            tag=TAG,
            summary="Verify an e-mail address with the token of a link",
            description=(
                "The token works once, for 24 hours. With CONFIRM_EMAIL_CHANGE, the token"
                " sent to a new address also changes the account's address to it."
            ),
            success=(Success(message="Email verified"),),
            body=EmailToken,
            failures=(EmailTokenRefused, EmailTaken),
        ),
    ]
