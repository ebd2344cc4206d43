"""Audit actions of sign-in."""

from enum import StrEnum


class SignInAction(StrEnum):
    LOGIN = "LOGIN"
    LOGIN_FAILED = "LOGIN_FAILED"
