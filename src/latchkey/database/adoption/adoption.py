"""The operator's decisions about a database of node-api-postgres, and the results.

`migrate` passes an `Adoption` to the revisions, which follow its decisions and record what they did.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

HAS_NON_ASCII = r"email ~ '[^\x01-\x7f]'"
"""SQL, true for an address that a user cannot type at sign-in, which takes ASCII only."""

ADDRESS_KEY = f"""CASE WHEN {HAS_NON_ASCII} THEN lower(email) ELSE lower(email COLLATE "C") END"""
"""SQL of the value that must be unique among live users.

ASCII rules for ASCII addresses, in any database language: in a Turkish one, lower('I') is not 'i'. For other addresses,
the value that the index on lower(email) compares.
"""


class MigrationError(Exception):
    """The migration stopped. The text tells the operator why and what to do.

    Finished revisions stay, so that the operator can always run it again.
    """


@dataclass(frozen=True)
class Resolutions:
    """What to do with rows that break the new rules. None: stop and list them."""

    null_flags: Literal["active", "deleted"] | None = None
    duplicate_emails: Literal["keep-oldest", "keep-newest"] | None = None
    orphan_audits: Literal["clear"] | None = None
    duplicate_reset_tokens: Literal["clear"] | None = None


@dataclass
class Adoption:
    """The decisions for a migration (the first two fields) and its results (the rest, written by the revisions)."""

    source_timezone: str
    resolutions: Resolutions
    users: int = 0
    sessions: int = 0
    audit_rows: int = 0
    resolved: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, context: "MigrationContext") -> Self:
        """Returns the adoption that a revision takes part in: `Adoption.of(op.get_context())`."""
        adoption: Self = context.opts["adoption"]
        return adoption
