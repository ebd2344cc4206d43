"""Audit actions of the audit log."""

from enum import StrEnum


class AuditLogAction(StrEnum):
    EXPORT_AUDIT = "EXPORT_AUDIT"
