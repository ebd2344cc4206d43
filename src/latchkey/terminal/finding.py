"""The result of a check."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` names what was checked, `message` states the result, `advice` says what to do unless it is ok.

    A problem cannot work. A warning works, but perhaps not as the operator expects.
    """

    check: str
    level: Literal["ok", "warning", "problem"]
    message: str
    advice: str | None = None


def ok(check: str, message: str) -> Finding:
    """Returns a finding that needs no action."""
    return Finding(check, "ok", message)


def warning(check: str, message: str, advice: str) -> Finding:
    """Returns a finding that works, but perhaps not as the operator expects."""
    return Finding(check, "warning", message, advice)


def problem(check: str, message: str, advice: str) -> Finding:
    """Returns a finding that cannot work."""
    return Finding(check, "problem", message, advice)
