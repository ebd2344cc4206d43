"""SQL that compares the sequences of ids with the ids that are there."""

from dataclasses import dataclass

from latchkey.database.pool import Queryable

TABLES = ("users", "audit_logs", "sessions", "mail_outbox", "email_tokens", "user_counts", "signing_keys", "api_keys")
"""All of ours."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """Of the ids of a table: `highest` is one that is there, `next` the one that is given out next; None where there is
    none, or the role may not see it. `correction` is the statement that puts it right. Names are quoted."""

    table: str
    column: str
    highest: int | None
    next: int | None
    correction: str

    @property
    def is_behind(self) -> bool:
        """Whether it will give out an id that was given out."""
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


async def find_sequences(database: Queryable) -> list[Sequence]:
    """Those of all of our tables."""
    found = []
    for row in await database.fetch(_SEQUENCES, list(TABLES)):
        highest = await database.fetchval(f"SELECT max({row['column']}) FROM {row['table']}")
        after = row["after"]
        if after is None and row["readable"]:
            # Never used, or set so that the value itself is the next.
            after = await database.fetchval(f"SELECT last_value FROM {row['sequence']}")
        found.append(Sequence(row["table"], row["column"], highest, after, row["correction"]))
    return found
