"""A tally: a number that triggers keep. It is wrong if rows were loaded without triggers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """`name` says what is counted.

    `difference` is SQL of the counted number minus the kept one, in one statement and so one snapshot. `correct` is the
    statement that adds $1 to the kept number.
    """

    name: str
    difference: str
    correct: str
