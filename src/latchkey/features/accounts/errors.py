"""Refusals of the accounts feature."""

from latchkey.refusal import Refusal


class NothingToUpdate(Refusal):
    status, code, message = 400, "VALIDATION_ERROR", "No data provided for update"


class UsersNotListed(Refusal):
    """Refuses to list users because USERS_LIST is `self`."""

    status, code = 403, "USERS_NOT_LISTED"
    message = "This service does not list users. GET /auth/me returns your own account."


class UserNotDeleted(Refusal):
    status, code, message = 404, "USER_NOT_FOUND", "User not found or already active"


class LastAdmin(Refusal):
    """Nobody else is an administrator who is neither deleted nor suspended now."""

    status, code, message = 409, "LAST_ADMIN", "This is the last admin"


class RestoreEmailTaken(Refusal):
    status, code, message = 409, "EMAIL_ALREADY_EXISTS", "Cannot restore user: email already in use"
