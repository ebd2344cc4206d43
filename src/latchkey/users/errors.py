"""Refusals about users that several features share."""

from latchkey.refusal import Refusal


class UserNotFound(Refusal):
    status, code, message = 404, "USER_NOT_FOUND", "User not found"


class EmailTaken(Refusal):
    status, code, message = 409, "EMAIL_ALREADY_EXISTS", "Email already exists"
