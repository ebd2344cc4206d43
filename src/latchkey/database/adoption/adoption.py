"""What the operator decided about a database of node-api-postgres, and what came of it.

`migrate` fills an `Adoption` and hands it to the revisions, which act on it and write down what they did.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

HAS_NON_ASCII = r"email ~ '[^\x01-\x7f]'"
"""SQL, true for an address that cannot be typed at sign-in, which takes ASCII only."""

ADDRESS_KEY = f"""CASE WHEN {HAS_NON_ASCII} THEN lower(email) ELSE lower(email COLLATE "C") END"""
"""SQL, what may exist only once among live users. Plain ASCII rules for ASCII addresses, whatever the database's
language: in a Turkish one lower('I') is no 'i'. For the rest, what the index on lower(email) will compare."""


class MigrationError(Exception):
    """The migration stopped; the text tells the operator why and what to do. What had been done before stays
    done in whole revisions, so that running it again is always safe."""


@dataclass(frozen=True)
class Resolutions:
    """What to do with rows that the new rules cannot hold; None: stop and list them."""

    null_flags: Literal["active", "deleted"] | None = None
    duplicate_emails: Literal["keep-oldest", "keep-newest"] | None = None
    orphan_audits: Literal["clear"] | None = None
    duplicate_reset_tokens: Literal["clear"] | None = None


@dataclass
class Adoption:
    """One migration's orders (the first two) and its findings (the rest, written by the revisions)."""

    source_timezone: str
    resolutions: Resolutions
    users: int = 0
    sessions: int = 0
    audit_rows: int = 0
    resolved: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, context: "MigrationContext") -> Self:
        """The adoption that a revision takes part in: `Adoption.of(op.get_context())`."""
        adoption: Self = context.opts["adoption"]
        return adoption
