"""What a check finds."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` names what was looked at, `message` says what is the case, `advice` what to do unless it is ok.

    A problem: it cannot work. A warning: it works, but perhaps not as somebody expects.
    """

    check: str
    level: Literal["ok", "warning", "problem"]
    message: str
    advice: str | None = None


def ok(check: str, message: str) -> Finding:
    """Nothing to do."""
    return Finding(check, "ok", message)


def warning(check: str, message: str, advice: str) -> Finding:
    """It works, but perhaps not as somebody expects."""
    return Finding(check, "warning", message, advice)


def problem(check: str, message: str, advice: str) -> Finding:
    """It cannot work."""
    return Finding(check, "problem", message, advice)
