"""Field rules that bodies, queries and paths share."""

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
