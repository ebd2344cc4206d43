"""Settings of accounts."""

from typing import Literal

from pydantic import BaseModel, Field


class AccountSettings(BaseModel):
    """Accounts."""

    users_list: Literal["all", "self"] = Field("all", description="`self`: users see only their own account.")
    purge_deleted_after_days: int | None = Field(
        None, ge=1, le=36_500, description="Days after which deleted accounts are erased for good. Unset: never."
    )
