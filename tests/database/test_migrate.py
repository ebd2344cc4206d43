"""What the runner promises, whatever is in the database: it gets there, once, and touches nothing it should not."""

import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from latchkey.database import migrate as module
from latchkey.database.adoption.original_schema import UnfitSchema
from latchkey.database.migrate import (
    REQUIRED_REVISION,
    MigrationReport,
    UnknownTimezone,
    is_current,
    migrate,
    schema_revision,
)
from tests.kit.original_database import AUDIT_LOGS, README, connector, rows, run, snapshot, value


async def revision_of(dsn: str) -> str | None:
    connection = await asyncpg.connect(dsn)
    try:
        return await schema_revision(connection)
    finally:
        await connection.close()


async def test_empty_database_has_no_revision_and_does_not_raise(empty_database: str) -> None:
    """`serve` and `doctor` ask before anything was migrated."""
    assert await revision_of(empty_database) is None
    assert not is_current(None)


COLUMNS = """
SELECT table_name || '.' || column_name, concat(data_type, is_nullable, ' ', column_default)
FROM information_schema.columns WHERE table_schema = 'public'
"""


async def test_new_database_gets_the_whole_schema(empty_database: str) -> None:
    """A first start needs nothing but an empty database."""
    report = await migrate(connector(empty_database))
    assert report == MigrationReport(None, REQUIRED_REVISION)
    assert report.changed
    assert await revision_of(empty_database) == REQUIRED_REVISION
    schema = dict(await rows(empty_database, COLUMNS))
    expected = {
        "users.is_deleted": "booleanNO false",
        "users.password_migrated": "booleanNO false",
        "users.created_at": "timestamp with time zoneYES now()",
        "users.reset_token_expires": "timestamp with time zoneYES ",
        "users.deleted_by_session": "uuidYES ",
        "audit_logs.created_at": "timestamp with time zoneYES now()",
        "sessions.token_hash": "byteaNO ",
        "mail_outbox.metadata": "jsonbNO '{}'::jsonb",
    }
    assert expected.items() <= schema.items()
    assert "users.refresh_token" not in schema
    assert "timestamp without" not in str(schema)


async def test_second_run_changes_nothing(empty_database: str) -> None:
    """Every start of every instance migrates."""
    await migrate(connector(empty_database))
    before = await snapshot(empty_database)
    report = await migrate(connector(empty_database))
    assert report == MigrationReport(REQUIRED_REVISION, REQUIRED_REVISION)
    assert not report.changed
    assert await snapshot(empty_database) == before


async def test_newer_schema_is_left_alone(empty_database: str) -> None:
    """In a rolling deployment an old instance may start after the new release has migrated."""
    await migrate(connector(empty_database))
    await run(empty_database, "UPDATE alembic_version SET version_num = '0999'")
    report = await migrate(connector(empty_database))
    assert (report.from_revision, report.changed) == ("0999", False)
    assert is_current("0999")


async def test_another_programs_alembic_table_is_refused(empty_database: str) -> None:
    """A database shared by mistake: 'ae1027a6acf' sorts after every number of ours and must not pass as current."""
    await run(
        empty_database,
        "CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('ae1027a6acf')",
    )
    before = await snapshot(empty_database)
    with pytest.raises(UnfitSchema, match="ae1027a6acf"):
        await migrate(connector(empty_database))
    assert not is_current("ae1027a6acf")
    assert await snapshot(empty_database) == before


UNFIT = {
    "has no column email": "CREATE TABLE users (id serial PRIMARY KEY, name text)",
    "id is not an integer": README.replace(
        "id SERIAL PRIMARY KEY,\n    name", "id uuid PRIMARY KEY,\n    name"
    ).replace(" REFERENCES users(id) ON DELETE SET NULL", ""),
    "not an ordinary table": "CREATE VIEW users AS SELECT 1 AS id",
    "but users does not": AUDIT_LOGS.replace("REFERENCES users(id) ON DELETE SET NULL", ""),
    "relation sessions": README + "CREATE TABLE sessions (sid text)",
    "relation api_keys": README + "CREATE TABLE api_keys (token text)",
    "users.id has no sequence": README + "ALTER SEQUENCE users_id_seq OWNED BY NONE",
    "no primary key on id": README + "ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE",
}


@pytest.mark.parametrize("problem", UNFIT)
async def test_tables_that_are_not_the_originals_are_refused(empty_database: str, problem: str) -> None:
    """`users` and `sessions` are names that any program uses; nothing of another's is touched."""
    await run(empty_database, UNFIT[problem])
    before = await snapshot(empty_database)
    with pytest.raises(UnfitSchema, match=problem):
        await migrate(connector(empty_database))
    assert await snapshot(empty_database) == before


async def test_only_the_owner_of_the_tables_migrates_them(empty_database: str) -> None:
    """Found before the first revision: afterwards alembic_version would belong to a role that cannot go on."""
    role = "latchkey_" + await value(empty_database, "SELECT current_database()")
    await run(empty_database, f"{README} CREATE ROLE {role}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}")
    before = await snapshot(empty_database)

    async def connect() -> asyncpg.Connection:
        connection = await asyncpg.connect(empty_database)
        await connection.execute(f"SET ROLE {role}")
        return connection

    try:
        with pytest.raises(UnfitSchema, match=f"users belongs to .+, not to {role}"):
            await migrate(connect)
        assert await snapshot(empty_database) == before
    finally:
        await run(empty_database, f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_unknown_source_timezone_is_refused_by_name(empty_database: str) -> None:
    """PostgreSQL would take 'Berlin+1' as a zone of its own making and shift every timestamp silently."""
    await run(empty_database, README)
    before = await snapshot(empty_database)
    for name in ("Berlin+1", "Europe/Bärlin", "", "CET-1; DROP TABLE users"):
        with pytest.raises(UnknownTimezone, match="pg_timezone_names"):
            await migrate(connector(empty_database), source_timezone=name)
    assert await snapshot(empty_database) == before


async def test_addresses_are_unique_among_live_users_only_and_in_any_case(empty_database: str) -> None:
    """A deleted user's address can register again."""
    await migrate(connector(empty_database))
    insert = "INSERT INTO users (name, email, password, is_deleted) VALUES ('n', '{}', 'p', {})"
    await run(empty_database, insert.format("a@example.com", "true"))
    await run(empty_database, insert.format("a@example.com", "true"))
    await run(empty_database, insert.format("a@example.com", "false"))
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await run(empty_database, insert.format("A@example.com", "false"))
    assert refused.value.constraint_name == "users_email_unique_active"


async def test_refresh_touches_no_index(empty_database: str) -> None:
    """A refresh is the most frequent write: it must stay a HOT update, so no index may know its columns."""
    await migrate(connector(empty_database))
    columns = "token_hash|last_used_at|token_expires_at"
    indexes = f"SELECT indexname, indexdef ~ '\\m({columns})\\M' FROM pg_indexes WHERE tablename = 'sessions'"
    assert dict(await rows(empty_database, indexes)) == {
        "sessions_pkey": False,
        "sessions_original_token_hash": False,
        "sessions_by_user": False,
        "sessions_live_by_user": False,
        "sessions_ended": False,
        "sessions_expiring": False,
        "sessions_by_actor": False,
    }


async def test_deleting_a_users_row_takes_its_sessions_along(empty_database: str) -> None:
    """An operator who erases a person by SQL needs no second statement; audit rows stay, without the actor."""
    await migrate(connector(empty_database))
    await run(
        empty_database,
        """INSERT INTO users (name, email, password) VALUES ('n', 'a@example.com', 'p');
        INSERT INTO sessions (id, user_id, token_hash, expires_at) VALUES (gen_random_uuid(), 1, sha256('a'), now());
        INSERT INTO audit_logs (actor_id, action, entity_type) VALUES (1, 'LOGIN', 'users');
        DELETE FROM users""",
    )
    assert await value(empty_database, "SELECT count(*) FROM sessions") == 0
    assert await rows(empty_database, "SELECT actor_id, metadata FROM audit_logs") == [(None, "{}")]


async def test_an_index_that_was_left_unfinished_is_built_again(empty_database: str) -> None:
    """A run that is broken off while it builds one concurrently leaves an index that PostgreSQL does not use."""
    await migrate(connector(empty_database))
    await run(
        empty_database,
        """UPDATE alembic_version SET version_num = '0017'; DROP INDEX users_by_domain;
        UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_search'::regclass""",
    )
    await migrate(connector(empty_database))
    valid = (
        "SELECT indisvalid FROM pg_index WHERE indexrelid IN ('users_search'::regclass, 'users_by_domain'::regclass)"
    )
    assert await rows(empty_database, valid) == [(True,), (True,)]


def test_required_revision_is_the_newest_file() -> None:
    """A revision added without raising the constant would never run."""
    versions = Path(module.__file__).parent / "migrations" / "versions"
    newest = max(path.name for path in versions.glob("*.py"))
    assert newest.split("_")[0] == REQUIRED_REVISION


def test_importing_the_runner_does_not_import_alembic() -> None:
    """The server process asks for the revision at start and must not pay for the migration tools."""
    code = "import sys, latchkey.database.migrate; sys.exit(str({'alembic', 'sqlalchemy'} & set(sys.modules)))"
    environment = {"PYTHONPATH": ":".join(sys.path)}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert found.stderr.strip() == "set()"
