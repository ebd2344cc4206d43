"""Scopes of the audit log."""

from enum import StrEnum


class AuditScope(StrEnum):
    READ = "audit:read"
