"""Settings of forward auth."""

from pydantic import BaseModel, Field, field_validator

from latchkey.urls import require_page


class ForwardAuthSettings(BaseModel):
    """Forward auth."""

    sign_in_url: str = Field(
        "",
        description="Page on which people sign in. `/auth/check?redirect=1` sends browsers there, with the page that they"
        " wanted as `returnTo`. Unset: they get 401.",
    )

    @field_validator("sign_in_url")
    @classmethod
    def _sign_in_url_is_a_page(cls, value: str) -> str:
        return require_page(value)
