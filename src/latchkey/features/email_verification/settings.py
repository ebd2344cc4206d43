"""Settings of e-mail verification."""

from pydantic import BaseModel, Field, field_validator

from latchkey.urls import require_page


class EmailVerificationSettings(BaseModel):
    """E-mail verification."""

    require_verified_email: bool = Field(
        False, description="true: users can log in only after they verify their address. Registration mails the link."
    )
    confirm_email_change: bool = Field(
        False, description="true: a new address replaces the old one only when the user opens a link sent to it."
    )
    verify_url: str = Field(
        "",
        description="Page of your front end that verification links open. Its origin belongs in CORS_ORIGINS.",
    )

    @field_validator("verify_url")
    @classmethod
    def _verify_url_is_a_page(cls, value: str) -> str:
        return require_page(value)

    def verify_page(self, base_url: str) -> str:
        """Returns the page that verification links open: VERIFY_URL, or ours below `base_url`."""
        return self.verify_url or f"{base_url}/verify-email"
