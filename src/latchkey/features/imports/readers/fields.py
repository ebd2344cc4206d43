"""What several readers make of other programs' fields."""

from datetime import UTC, datetime
from typing import Any

from latchkey.clock import system_clock

DISABLED = "is disabled there: not imported"
DELETED = "is deleted there: not imported"
NO_ADDRESS = "has no address: not imported"
DIGITS_MAX = 20


def name_or_local_part(email: object, *names: object) -> str:
    """Returns the first name that is not blank, or the part of the address before the @."""
    for each in names:
        if isinstance(each, str) and each.strip():
            return each.strip()
    return email.partition("@")[0] if isinstance(email, str) else ""


def joined(*parts: object) -> str:
    """Returns the parts of a name that are not blank, with a space between."""
    return " ".join(part.strip() for part in parts if isinstance(part, str) and part.strip())


def time_of_milliseconds(value: object) -> str | None:
    """Returns a time of milliseconds since 1970 in ISO 8601, or None."""
    try:
        return datetime.fromtimestamp(float(value) / 1000, UTC).isoformat() if isinstance(value, int | float) else None
    except (ValueError, OverflowError, OSError):
        return None


def is_later_than_now(value: object) -> bool:
    """Tells whether a time in ISO 8601 is in the future, or cannot be read."""
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return True
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() > system_clock()


def number_or_text(value: Any) -> Any:
    """Returns a text of digits as the number that it is, and anything else as it is."""
    is_number = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < DIGITS_MAX
    return int(value) if is_number else value


def object_or_none(value: Any) -> dict[str, Any] | None:
    """Returns a JSON object that is not empty, or None."""
    return value if isinstance(value, dict) and value else None
