"""A role that may not create tables is told the statement that lets it, whatever its search path is."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import asyncpg
import psycopg
import pytest
from psycopg import sql

from latchkey.database.adoption.adoption import MigrationError
from latchkey.database.migrate import REQUIRED_REVISION, migrate
from latchkey.database.rights import MayNotCreate
from tests.kit.command_line import latchkey
from tests.kit.original_database import README, run, snapshot, value

ROLE = 'Odd-role "of" ours'


@pytest.fixture
def role(empty_database: str) -> Iterator[str]:
    """A role that owns nothing, with a name that must be quoted; since PostgreSQL 15 it may not create in public."""
    with psycopg.connect(empty_database, autocommit=True) as superuser:
        name = f"{ROLE} {superuser.info.dbname}"
        superuser.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        superuser.execute("REVOKE CREATE ON SCHEMA public FROM public")
        yield name
        superuser.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
        superuser.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def connector(dsn: str, role: str, search_path: str | None) -> Callable[[], Awaitable[asyncpg.Connection]]:
    """Connects as the role."""

    async def connect() -> asyncpg.Connection:
        settings = {} if search_path is None else {"search_path": search_path}
        return await asyncpg.connect(dsn, user=role, server_settings=settings)

    return connect


def ident(name: str) -> str:
    """As PostgreSQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


CASES: dict[str, tuple[str | None, str, str, str]] = {
    # The search path; what is there; what is said to be missing; where the tables are afterwards.
    "public": (None, "", "GRANT CREATE ON SCHEMA public TO {role}", "public"),
    "public that may not be used": (
        "public",
        "REVOKE ALL ON SCHEMA public FROM public",
        "GRANT USAGE, CREATE ON SCHEMA public TO {role}",
        "public",
    ),
    "a schema of its own": (
        "accounts",
        "CREATE SCHEMA accounts; GRANT USAGE ON SCHEMA accounts TO {role}",
        "GRANT CREATE ON SCHEMA accounts TO {role}",
        "accounts",
    ),
    "a schema of its own, not usable, before public": (
        "ACCOUNTS, public",
        "CREATE SCHEMA accounts",
        "GRANT USAGE, CREATE ON SCHEMA accounts TO {role}",
        "accounts",
    ),
    "a name that must be quoted": (
        f"{ident('Odd schema')}, public",
        'CREATE SCHEMA "Odd schema"',
        'GRANT USAGE, CREATE ON SCHEMA "Odd schema" TO {role}',
        "Odd schema",
    ),
    "a schema that is not there, before public": (
        "elsewhere, public",
        "",
        "GRANT CREATE ON SCHEMA public TO {role}",
        "public",
    ),
    "no schema that is there": (
        '"$user", elsewhere',
        "",
        "CREATE SCHEMA elsewhere AUTHORIZATION {role}",
        "elsewhere",
    ),
    "the role's own schema": (
        '"$user", public',
        "CREATE SCHEMA {role}",
        "GRANT USAGE, CREATE ON SCHEMA {role} TO {role}",
        "{name}",
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_the_statement_that_is_named_helps(empty_database: str, role: str, case: str) -> None:
    """Nothing is changed before; what is named is run word for word, and then the migration succeeds."""
    search_path, before, named, where = (text and text.replace("{role}", ident(role)) for text in CASES[case])
    await run(empty_database, before or "SELECT 1")
    content = await snapshot(empty_database)
    connect = connector(empty_database, role, search_path)
    with pytest.raises(MayNotCreate) as refused:
        await migrate(connect)
    assert await snapshot(empty_database) == content
    lines = str(refused.value).splitlines()
    assert lines[1] == f"  {named};"
    await run(empty_database, lines[1])
    assert (await migrate(connect)).to_revision == REQUIRED_REVISION
    found = await value(empty_database, "SELECT schemaname::text FROM pg_tables WHERE tablename = 'sessions'")
    assert found == (where or "").replace("{name}", role)


async def test_an_empty_search_path(empty_database: str, role: str) -> None:
    """There is no schema to give a right for."""
    with pytest.raises(MayNotCreate, match=r"ALTER ROLE .+ SET search_path = public;"):
        await migrate(connector(empty_database, role, ""))


async def test_the_original_without_the_right_to_create(empty_database: str, role: str) -> None:
    """Its tables are the role's, but nothing can be added: the same message, and nothing else is complained of."""
    await run(
        empty_database,
        f"{README} ALTER TABLE users OWNER TO {ident(role)}; ALTER TABLE audit_logs OWNER TO {ident(role)}",
    )
    with pytest.raises(MayNotCreate, match="GRANT CREATE ON SCHEMA public TO"):
        await migrate(connector(empty_database, role, None))
    await run(empty_database, f"GRANT CREATE ON SCHEMA public TO {ident(role)}")
    assert (await migrate(connector(empty_database, role, None))).changed


async def test_a_later_migration_of_another_role(empty_database: str, role: str) -> None:
    """What another role has made is that role's to change: run it again as the owner, not just again."""
    await run(empty_database, f"GRANT CREATE ON SCHEMA public TO {ident(role)}")
    await run(empty_database, "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
    with pytest.raises(MigrationError, match=r"\(42501\).*; run it again as the owner of the tables\."):
        await migrate(connector(empty_database, role, None))


def test_commands(empty_database: str, role: str, tmp_path: Path) -> None:
    """`migrate` and `serve --migrate` end with that message alone."""
    dsn = urlsplit(empty_database)._replace(netloc=f"{quote(role)}@").geturl()
    for command in (["migrate"], ["serve", "--migrate"]):
        refusal = latchkey(*command, directory=tmp_path, dsn=dsn).refusal()
        assert f"GRANT CREATE ON SCHEMA public TO {ident(role)};" in refusal
        assert "run it again" not in refusal
