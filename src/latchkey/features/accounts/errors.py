"""What changes of accounts refuse."""

from latchkey.refusal import Refusal


class NothingToUpdate(Refusal):
    status, code, message = 400, "VALIDATION_ERROR", "No data provided for update"


class UsersNotListed(Refusal):
    """USERS_LIST is self."""

    status, code = 403, "USERS_NOT_LISTED"
    message = "Users are not listed here; GET /auth/me shows your own account"


class UserNotDeleted(Refusal):
    status, code, message = 404, "USER_NOT_FOUND", "User not found or already active"


class RestoreEmailTaken(Refusal):
    status, code, message = 409, "EMAIL_ALREADY_EXISTS", "Cannot restore user: email already in use"
