"""A chore: rows that housekeeping removes together."""

from dataclasses import dataclass

DUE_BEFORE = "now() - make_interval(secs => $1::float8 * 86400)"
"""SQL of the time before which rows are due: a chore's `days` ago, by the database's clock."""


@dataclass(frozen=True, slots=True)
class Chore:
    """Rows to remove once they are `days` old.

    `due` is the SQL that selects the keys of due rows, oldest first where that is cheap. Its $1 is the number of days,
    its $2 the maximum of keys. `remove` are the statements that take the keys as $1. `lock` is added to `due` where the
    rows must not change before they are removed.
    """

    name: str
    days: float
    due: str
    remove: tuple[str, ...]
    lock: str = ""
