"""A chore: what housekeeping removes together."""

from dataclasses import dataclass

DUE_BEFORE = "now() - make_interval(secs => $1::float8 * 86400)"
"""SQL, the time before which something is due: a chore's `days` ago, by the database's clock."""


@dataclass(frozen=True, slots=True)
class Chore:
    """Rows that are removed together once they are `days` old.

    `due` is the SQL that selects the keys of what is due, oldest first where that costs nothing; it takes the number of
    days as $1 and how many keys at most as $2. `remove` are the statements that take the keys as $1. `lock` is added to
    `due` where what was found must stay as it is until it is removed.
    """

    name: str
    days: float
    due: str
    remove: tuple[str, ...]
    lock: str = ""
