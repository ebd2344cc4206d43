"""A tally: a number that triggers keep, and that is off when rows were loaded without triggers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """`name` is what is counted. `difference` is SQL for the counted number less the kept one, in one statement and so
    in one snapshot; `correct` is the statement that adds $1 to the kept number."""

    name: str
    difference: str
    correct: str
