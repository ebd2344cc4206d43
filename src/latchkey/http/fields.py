"""Field rules that bodies, queries and paths share."""

import re
from collections.abc import Callable

from pydantic_core import PydanticCustomError


def checked_text(value: object) -> str:
    """Returns a string without lone surrogates, which neither UTF-8 nor PostgreSQL can hold.

    Raises PydanticCustomError.
    """
    if not isinstance(value, str):
        raise PydanticCustomError("not_text", "must be a string")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise PydanticCustomError("surrogate", "must not contain lone surrogates")
    return value


def given_text(value: object) -> str:
    """Does as `checked_text`, and refuses an empty string. Raises PydanticCustomError."""
    text = checked_text(value)
    if not text:
        raise PydanticCustomError("empty", "must not be empty")
    return text


def whole_number(lowest: int, highest: int, *, unit: str = "") -> Callable[[object], int]:
    """Returns the rule of a number in a query: ASCII digits, from `lowest` to `highest`. The rule raises
    PydanticCustomError."""
    digits = re.compile(rf"[0-9]{{1,{len(str(highest))}}}", re.ASCII)

    def check(value: object) -> int:
        text = given_text(value)
        if not digits.fullmatch(text) or not lowest <= int(text) <= highest:
            raise PydanticCustomError("whole_number", f"must be a whole number{unit} from {lowest} to {highest}")
        return int(text)

    return check


def absent() -> None:
    """Returns None, as the factory of a default: it keeps the default out of the JSON Schema, where `null` would look
    permitted."""
