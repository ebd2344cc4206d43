"""Scopes of introspection."""

from enum import StrEnum


class IntrospectionScope(StrEnum):
    INTROSPECT = "tokens:introspect"
