"""Scopes of revocations."""

from enum import StrEnum


class RevocationsScope(StrEnum):
    READ = "revocations:read"
