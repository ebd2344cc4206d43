"""Audit actions of impersonation."""

from enum import StrEnum


class ImpersonationAction(StrEnum):
    IMPERSONATE = "IMPERSONATE"
