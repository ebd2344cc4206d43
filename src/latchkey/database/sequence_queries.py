"""SQL that compares the sequences of ids with the stored ids."""

from dataclasses import dataclass

from latchkey.database.pool import Queryable

TABLES = (
    "users",
    "audit_logs",
    "sessions",
    "mail_outbox",
    "email_tokens",
    "user_counts",
    "signing_keys",
    "api_keys",
    "user_metadata",
    "imports",
)
"""All tables of Latchkey."""


@dataclass(frozen=True, slots=True)
class IdSequence:
    """The sequence of a column of ids. `table` and `column` are quoted.

    `highest` is the largest stored id, `next` the next id to assign; None: unknown. `correction` is the statement that
    continues after `highest`.
    """

    table: str
    column: str
    highest: int | None
    next: int | None
    correction: str

    @property
    def is_behind(self) -> bool:
        """Tells whether the next id may already exist."""
        return self.highest is not None and self.next is not None and self.next <= self.highest


_SEQUENCES = """
SELECT c.oid::regclass::text AS table, quote_ident(a.attname) AS column, s.oid::regclass::text AS sequence,
       has_sequence_privilege(s.oid, 'SELECT') AS readable, pg_sequence_last_value(s.oid) + p.seqincrement AS after,
       format('SELECT setval(%L, (SELECT max(%I) FROM %s))', s.oid::regclass, a.attname, c.oid::regclass) AS correction
FROM unnest($1::text[]) WITH ORDINALITY AS ours(name, place)
JOIN pg_class AS c ON c.oid = to_regclass(quote_ident(ours.name))
JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid > 0
    AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
JOIN pg_sequence AS p ON p.seqrelid = d.objid
JOIN pg_class AS s ON s.oid = p.seqrelid
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
ORDER BY place, a.attnum
"""


async def find_sequences(database: Queryable) -> list[IdSequence]:
    """Returns the id sequences of all Latchkey tables."""
    found = []
    for row in await database.fetch(_SEQUENCES, list(TABLES)):
        highest = await database.fetchval(f"SELECT max({row['column']}) FROM {row['table']}")
        after = row["after"]
        if after is None and row["readable"]:
            # Unused, or set with is_called = false: `last_value` itself is the next id.
            after = await database.fetchval(f"SELECT last_value FROM {row['sequence']}")
        found.append(IdSequence(row["table"], row["column"], highest, after, row["correction"]))
    return found
