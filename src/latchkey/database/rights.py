"""Checks that the migrating role may create tables in the right schema."""

import asyncpg

from latchkey.database.adoption.adoption import MigrationError


class MayNotCreate(MigrationError):
    """The role may not create tables. Nothing was changed. The text names the statement that grants the right."""

    def __init__(self, problem: str, statement: str) -> None:
        super().__init__(
            f"{problem}. Nothing was changed. As a superuser, or the owner of the schema or the database, run\n"
            f"  {statement};\n"
            "and then migrate again."
        )


# PostgreSQL skips schemas that are missing or not allowed. The first one in the path is the intended one.
NAMED = """
WITH listed AS (
    SELECT btrim(raw) AS raw, place FROM unnest(string_to_array(current_setting('search_path'), ','))
    WITH ORDINALITY AS entries(raw, place)
), named AS (
    SELECT place, raw = '"$user"' OR raw = '$user' AS is_own,
           CASE WHEN raw IN ('"$user"', '$user') THEN current_user::text
                WHEN raw LIKE '"%' THEN replace(btrim(raw, '"'), '""', '"') ELSE lower(raw) END AS name
    FROM listed WHERE raw <> ''
)
SELECT quote_ident(name) AS schema, oid IS NOT NULL AS exists,
       coalesce(has_schema_privilege(oid, 'USAGE'), false) AS may_use,
       coalesce(has_schema_privilege(oid, 'CREATE'), false) AS may_create
FROM named LEFT JOIN pg_namespace ON nspname = name
WHERE name NOT LIKE 'pg\\_%' ORDER BY oid IS NULL, oid IS NULL AND is_own, place LIMIT 1
"""

WHO = "SELECT quote_ident(current_user) AS role, has_schema_privilege(current_schema(), 'CREATE') AS may_create"


async def require_rights(connection: asyncpg.Connection) -> None:
    """Raises MayNotCreate if tables cannot be created in the first schema of the search path. Only reads."""
    who = await connection.fetchrow(WHO)
    if who["may_create"]:
        return
    role = who["role"]
    named = await connection.fetchrow(NAMED)
    if named is None:
        raise MayNotCreate(
            "The search_path names no schema to create tables in", f"ALTER ROLE {role} SET search_path = public"
        )
    schema = named["schema"]
    if not named["exists"]:
        raise MayNotCreate(
            f"The schema {schema} of the search_path does not exist", f"CREATE SCHEMA {schema} AUTHORIZATION {role}"
        )
    missing = [right for right, has in (("USAGE", named["may_use"]), ("CREATE", named["may_create"])) if not has]
    raise MayNotCreate(
        f"{role} may not create tables in the schema {schema}",
        f"GRANT {', '.join(missing) or 'CREATE'} ON SCHEMA {schema} TO {role}",
    )
