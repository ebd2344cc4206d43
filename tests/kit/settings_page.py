"""`make settings-page`: makes docs/settings.md from the settings models. A test compares the page with them."""

import sys
from pathlib import Path
from typing import Any

import annotated_types
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from latchkey.app import Settings

PAGE = Path("docs/settings.md")
HEAD = """# Settings

Latchkey reads its settings from the environment, or from a file `.env` in the current directory. The environment wins.
`latchkey doctor` checks them, and warns of names that look like a setting but are none.

This page is made from the code by `make settings-page`.
"""


def settings_page() -> str:
    """Returns the page: one table for each model, the platform's first, in the order in which they are declared."""
    models = [model for model in reversed(Settings.__mro__) if issubclass(model, BaseModel) and model.__annotations__]
    tables = [_table(model) for model in models if _own(model)]
    return "\n".join([HEAD, *tables])


def _own(model: type[BaseModel]) -> list[str]:
    if model in {BaseModel, BaseSettings, Settings}:
        return []
    return [name for name in model.__annotations__ if name in Settings.model_fields]


def _table(model: type[BaseModel]) -> str:
    title = (model.__doc__ or "").partition(".")[0].strip()
    lines = [f"## {title}", "", "| Name | Default | What it changes |", "|---|---|---|"]
    for name in _own(model):
        field = Settings.model_fields[name]
        lines.append(f"| {_name(name)} | {_default(field)} | {field.description}{_bounds(field)} |")
    return "\n".join([*lines, ""])


def _name(name: str) -> str:
    return name.upper()


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value in {None, "", ()} or isinstance(value, SecretStr):
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _bounds(field: FieldInfo) -> str:
    low = next((str(mark.ge) for mark in field.metadata if isinstance(mark, annotated_types.Ge)), None)
    above = next((str(mark.gt) for mark in field.metadata if isinstance(mark, annotated_types.Gt)), None)
    high = next((str(mark.le) for mark in field.metadata if isinstance(mark, annotated_types.Le)), None)
    if high is None:
        return ""
    return f" From {low} to {high}." if low is not None else f" More than {above}, at most {high}."


if __name__ == "__main__":
    PAGE.write_text(settings_page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE} is written\n")
