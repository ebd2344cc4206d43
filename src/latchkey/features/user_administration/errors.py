"""Refusals of the administration of users."""

from latchkey.refusal import Refusal


class DeleteFirst(Refusal):
    """Only a deleted account is erased, so that no single slip loses one."""

    status, code, message = 409, "USER_NOT_DELETED", "Delete the user first"
