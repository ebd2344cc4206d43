"""`latchkey migrate` as a command; what migrating does is in tests/database."""

from functools import partial
from pathlib import Path

import psycopg

from latchkey.database.migrate import REQUIRED_REVISION
from tests.kit.command_line import latchkey
from tests.kit.original_database import NO_FOREIGN_KEY

DIRTY = """
INSERT INTO users (name, email, password, is_deleted, refresh_token) VALUES
    ('Old', 'siam@example.com', '', false, repeat('a', 64)),
    ('New', 'SIAM@example.com', '', false, NULL),
    ('Odd', 'odd@example.com', '', NULL, 'not a hash'),
    ('Twin', 'twin@example.com', '', false, NULL);
UPDATE users SET reset_token = 'x' WHERE id IN (1, 4);
INSERT INTO audit_logs (actor_id, action, entity_type, entity_id, metadata) VALUES
    (1, 'LOGIN', 'users', 1, '{}'), (77, 'LOGIN', 'users', 77, '{}');
"""
SETTLED = [
    *("--null-flags", "active", "--duplicate-emails", "keep-newest", "--orphan-audits", "clear"),
    *("--duplicate-reset-tokens", "clear", "--source-timezone", "europe/berlin"),
]


def test_makes_the_schema(empty_database: str, tmp_path: Path) -> None:
    """Needs DATABASE_URL, but no secret, and says what it did. A second run has nothing to do."""
    migrate = partial(latchkey, "migrate", directory=tmp_path, JWT_ACCESS_SECRET="", JWT_REFRESH_SECRET="")
    assert (
        migrate(dsn=empty_database).out
        == f"Created the schema in an empty database, at revision {REQUIRED_REVISION}.\n"
    )
    assert migrate(dsn=empty_database).out == f"Nothing to do: the database is at revision {REQUIRED_REVISION}.\n"

    assert migrate().refusal().endswith("DATABASE_URL is not set: give the URL of the database to migrate")
    (tmp_path / ".latchkey").mkdir()
    (tmp_path / ".latchkey" / "dsn").write_text(empty_database)
    assert "such as the content of .latchkey/dsn" in migrate().refusal()
    assert "the database cannot be used" in migrate(dsn="postgresql://127.0.0.1:1/x").refusal()
    assert "no time zone 'Mars'" in migrate("--source-timezone", "Mars", dsn=empty_database).refusal()


def test_takes_over_the_originals_database(empty_database: str, tmp_path: Path) -> None:
    """Lists rows that do not fit, each with the option that settles it. These options exist."""
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(NO_FOREIGN_KEY + DIRTY)
    migrate = partial(latchkey, "migrate", directory=tmp_path, dsn=empty_database)

    refusal = migrate().refusal()
    assert "6 rows cannot be migrated as they are. Nothing was changed." in refusal
    assert "users 3: is_deleted is NULL, neither active nor deleted (--null-flags active|deleted)" in refusal
    offered = {word.strip("()") for word in refusal.split() if word.startswith("(--")}
    assert offered <= set(SETTLED)

    lines = migrate(*SETTLED).out.splitlines()
    assert lines[:3] == [
        f"Migrated node-api-postgres's database to revision {REQUIRED_REVISION}.",
        "Migrated: 4 users, 0 of them signed in, 2 audit rows.",
        "Their times were read as Europe/Berlin.",
    ]
    assert "Resolved: users 1: deleted, its address is that of user 2" in lines
    assert any(line.startswith("Warning: these users must sign in again") for line in lines)
