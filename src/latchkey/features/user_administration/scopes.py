"""Scopes of the administration of users."""

from enum import StrEnum


class UsersScope(StrEnum):
    READ = "users:read"
    WRITE = "users:write"
    READ_SESSIONS = "sessions:read"
    WRITE_SESSIONS = "sessions:write"
