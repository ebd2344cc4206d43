"""A database of node-api-postgres comes over with everything in it, and its users notice nothing."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import asyncpg
import pytest

from latchkey.database.migrate import migrate
from tests.kit.original_database import (
    CATALOG,
    NO_FOREIGN_KEY,
    PARTIAL_INDEX,
    README,
    ROWS,
    checksum,
    connector,
    rows,
    run,
    value,
)

ZONELESS = [README, PARTIAL_INDEX, NO_FOREIGN_KEY]
ZONED = README.replace("TIMESTAMP", "TIMESTAMPTZ")


async def fill(dsn: str, schema: str, zone: str = "UTC", users: int = 1000, audits: int = 2000) -> None:
    """Make a database of node-api-postgres, in that zone, with that many rows."""
    name = await value(dsn, "SELECT current_database()")
    await run(dsn, f"ALTER DATABASE {name} SET timezone = '{zone}'; SET timezone = '{zone}'; {schema}")
    await run(dsn, ROWS.format(users=users, audits=audits))


async def one(dsn: str, user: dict[str, Any], schema: str = README) -> None:
    """Make a database of node-api-postgres with one user."""
    await run(dsn, schema)
    await add(dsn, user)


async def add(dsn: str, user: dict[str, Any]) -> None:
    """Add a user as node-api-postgres, or a person with psql, would."""
    user = {"name": "Siam", "email": "siam@example.com", "password": "$2b$10$x", **user}
    places = ", ".join(f"${n}" for n in range(1, len(user) + 1))
    await rows(dsn, f"INSERT INTO users ({', '.join(user)}) VALUES ({places})", *user.values())


@pytest.mark.parametrize("schema", ZONELESS, ids=["readme", "partial index", "no foreign key"])
async def test_all_data_comes_over_unchanged(empty_database: str, schema: str) -> None:
    """Ids, names, addresses, hashes, tokens, JSON and times are equal by checksum."""
    await fill(empty_database, schema, users=10_000, audits=50_000)
    before = await checksum(empty_database, "UTC")
    report = await migrate(connector(empty_database))
    assert await checksum(empty_database) == before
    assert (report.from_revision, report.users, report.audit_rows) == (None, 10_000, 50_000)
    assert (report.source_timezone, report.resolved, report.warnings) == ("UTC", (), ())


async def test_every_variant_ends_in_the_same_schema(empty_database: str) -> None:
    """Code and later migrations may rely on one schema, wherever the database came from."""
    seen = []
    for schema in ["", *ZONELESS, ZONED]:
        await run(empty_database, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;" + schema)
        await migrate(connector(empty_database))
        seen.append([(name, *rest) for name, _, _, *rest in await rows(empty_database, CATALOG)])
    assert all(schema == seen[0] for schema in seen)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "Asia/Kolkata"])
async def test_old_times_are_read_in_the_databases_zone(empty_database: str, zone: str) -> None:
    """node-api-postgres wrote the wall clock of the database's zone, summer time included."""
    await fill(empty_database, README, zone)
    before = await checksum(empty_database, zone)
    report = await migrate(connector(empty_database))
    assert report.source_timezone == zone
    assert await checksum(empty_database) == before


async def test_source_timezone_overrides_the_databases(empty_database: str) -> None:
    """For a dump restored on a server of another zone."""
    await fill(empty_database, README, "Europe/Berlin")
    before = await checksum(empty_database, "America/New_York")
    report = await migrate(connector(empty_database), source_timezone="america/new_york")
    assert report.source_timezone == "America/New_York"
    assert await checksum(empty_database) == before


async def test_times_that_have_a_zone_are_left_alone(empty_database: str) -> None:
    """Whoever mended the column by hand has right values already; reading them again would shift them."""
    await fill(empty_database, ZONED, "Europe/Berlin")
    before = await checksum(empty_database)
    report = await migrate(connector(empty_database), source_timezone="America/New_York")
    assert report.source_timezone is None
    assert await checksum(empty_database) == before


async def test_no_table_is_rewritten_when_the_zone_is_utc(empty_database: str) -> None:
    """What keeps the lock short on a large table."""
    await fill(empty_database, README, "Etc/UTC")
    files = "SELECT pg_relation_filenode('users'), pg_relation_filenode('audit_logs')"
    before = await rows(empty_database, files)
    await migrate(connector(empty_database))
    assert await rows(empty_database, files) == before


async def test_signed_in_clients_get_a_session(empty_database: str) -> None:
    """The stored hash becomes a session, for live users and real hashes only."""
    await one(empty_database, {"refresh_token": sha256(b"1").hexdigest()})
    await add(empty_database, {"email": "2@x", "refresh_token": sha256(b"2").hexdigest(), "is_deleted": True})
    await add(empty_database, {"email": "3@x", "refresh_token": "eyJhbGciOi" * 10})
    await add(empty_database, {"email": "4@x", "refresh_token": None})
    await add(empty_database, {"email": "5@x", "refresh_token": sha256(b"5").hexdigest().upper()})
    report = await migrate(connector(empty_database))
    assert report.sessions == 2
    assert await rows(empty_database, "SELECT user_id, token_hash, original_token_hash FROM sessions ORDER BY 1") == [
        (1, sha256(b"1").digest(), sha256(b"1").digest()),
        (5, sha256(b"5").digest(), sha256(b"5").digest()),
    ]
    for expires_at, created_at, ended_at in await rows(
        empty_database, "SELECT expires_at, created_at, ended_at FROM sessions"
    ):
        assert (expires_at - created_at, ended_at) == (timedelta(days=30), None)
    assert "sign in again" in report.warnings[0]
    assert report.warnings[0].endswith(": 3")


async def test_a_refresh_hash_that_two_users_share_signs_in_neither(empty_database: str) -> None:
    """Rows copied by hand: one user's token must not become another's session."""
    await one(empty_database, {"refresh_token": sha256(b"1").hexdigest()})
    await add(empty_database, {"email": "copy@x", "refresh_token": sha256(b"1").hexdigest().upper()})
    report = await migrate(connector(empty_database))
    assert (report.sessions, await value(empty_database, "SELECT count(*) FROM sessions")) == (0, 0)
    assert report.warnings[0].endswith(": 1, 2")


async def test_only_users_of_the_original_have_migrated_passwords(empty_database: str) -> None:
    """Their bcrypt compared 72 bytes; a user registered with us must not get that laxness."""
    await one(empty_database, {})
    await migrate(connector(empty_database))
    await add(empty_database, {"email": "new@example.com"})
    assert await rows(empty_database, "SELECT id, password_migrated FROM users ORDER BY id") == [(1, True), (2, False)]


async def test_reset_links_on_their_way_keep_working_but_no_longer_than_15_minutes(empty_database: str) -> None:
    """The expiry was written in the application's zone; read in another it must not live on for hours."""
    soon = datetime.now(UTC).replace(tzinfo=None, microsecond=0) + timedelta(minutes=10)
    late = soon + timedelta(hours=2)
    await one(empty_database, {"reset_token": "a" * 64, "reset_token_expires": soon})
    await add(empty_database, {"email": "2@x", "reset_token": "b" * 64, "reset_token_expires": late})
    deleted = {"email": "3@x", "is_deleted": True}
    await add(empty_database, {**deleted, "reset_token": "c" * 64, "reset_token_expires": soon})
    await migrate(connector(empty_database), source_timezone="UTC")
    found = await rows(empty_database, "SELECT reset_token, reset_token_expires FROM users ORDER BY id")
    assert found[0] == ("a" * 64, soon.replace(tzinfo=UTC))
    assert found[1][0] == "b" * 64
    assert found[1][1] <= datetime.now(UTC) + timedelta(minutes=15)
    assert found[2] == (None, None)


async def test_a_sequence_left_behind_by_a_restore_is_put_right(empty_database: str) -> None:
    """The first registration after the migration must not meet a taken id."""
    await one(empty_database, {"id": 500})
    await run(empty_database, "INSERT INTO audit_logs (id, action, entity_type) VALUES (77, 'LOGIN', 'users')")
    await migrate(connector(empty_database))
    ids = "SELECT nextval(pg_get_serial_sequence('users', 'id')), nextval(pg_get_serial_sequence('audit_logs', 'id'))"
    assert await rows(empty_database, ids) == [(501, 78)]


async def test_a_sequence_ahead_stays_ahead(empty_database: str) -> None:
    """The id of a user whose row was erased must not be handed out again: audit rows still name it."""
    await one(empty_database, {"id": 3})
    await run(empty_database, "SELECT setval('users_id_seq', 900)")
    await migrate(connector(empty_database))
    assert await value(empty_database, "SELECT nextval('users_id_seq')") == 901


@pytest.mark.parametrize("schema", [README, PARTIAL_INDEX], ids=["readme", "partial index"])
async def test_addresses_become_lower_case(empty_database: str, schema: str) -> None:
    """Also beside a deleted user who has the lower-case form, which the old constraint would forbid."""
    await one(empty_database, {"email": "Siam@Example.COM"}, schema)
    await add(empty_database, {"email": "siam@example.com", "is_deleted": True})
    report = await migrate(connector(empty_database))
    assert await rows(empty_database, "SELECT email FROM users ORDER BY id") == [("siam@example.com",)] * 2
    assert report.warnings == ()


async def test_addresses_that_nobody_can_type_are_named(empty_database: str) -> None:
    """Sign-in takes ASCII with one '@'; the operator learns whom to write to."""
    await one(empty_database, {"email": "JÖRG@example.com"})
    await add(empty_database, {"email": "no-at-sign"})
    await add(empty_database, {"email": "fine@example.com"})
    await add(empty_database, {"email": "gone-ü@example.com", "is_deleted": True})
    report = await migrate(connector(empty_database))
    assert [warning.endswith(": 1, 2") for warning in report.warnings] == [True]
    assert await value(empty_database, "SELECT email FROM users WHERE id = 1") == "JÖRG@example.com"


async def test_the_search_path_says_where_the_tables_are(empty_database: str) -> None:
    """A database shared by schema: public's users is another program's and none of our business."""
    await run(empty_database, "CREATE TABLE public.users (login text); CREATE SCHEMA accounts; CREATE SCHEMA late;")

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(empty_database, server_settings={"search_path": "accounts, late"})

    await run(empty_database, "SET search_path = late;" + README)
    report = await migrate(connect)
    assert report.changed
    assert not (await migrate(connect)).changed
    tables = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('public', 'accounts', 'late')"
    assert {row[0] for row in await rows(empty_database, tables)} == {
        *("public.users", "late.users", "late.audit_logs"),
        *(
            "accounts.sessions",
            "accounts.mail_outbox",
            "accounts.email_tokens",
            "accounts.user_counts",
            "accounts.signing_keys",
            "accounts.api_keys",
            "accounts.user_metadata",
            "accounts.imports",
            "accounts.alembic_version",
        ),
    }


async def test_any_old_unique_rule_on_the_address_goes(empty_database: str) -> None:
    """Whatever it is called: one left over would keep a deleted user's address taken for ever."""
    await one(empty_database, {"email": "siam@example.com", "is_deleted": True}, PARTIAL_INDEX)
    await run(
        empty_database,
        """CREATE UNIQUE INDEX one ON users (lower(email)); ALTER TABLE users ADD CONSTRAINT two UNIQUE (email);
        CREATE UNIQUE INDEX kept ON users (email, id); CREATE INDEX kept_too ON users (email)""",
    )
    await migrate(connector(empty_database))
    await add(empty_database, {"email": "siam@example.com"})
    names = {row[0] for row in await rows(empty_database, "SELECT indexname FROM pg_indexes WHERE tablename = 'users'")}
    assert "one" not in names
    assert "two" not in names
    assert names >= {"users_pkey", "users_email_unique_active", "users_reset_token", "kept", "kept_too"}


@pytest.mark.parametrize("key", ["", "ALTER TABLE audit_logs ADD FOREIGN KEY (actor_id) REFERENCES users NOT VALID"])
async def test_a_missing_or_unchecked_foreign_key_is_made_good(empty_database: str, key: str) -> None:
    """Audit rows name an actor that exists, as in node-api-postgres's own schema."""
    await fill(empty_database, NO_FOREIGN_KEY + key)
    await migrate(connector(empty_database))
    keys = "SELECT convalidated FROM pg_constraint WHERE conrelid = 'audit_logs'::regclass AND contype = 'f'"
    assert await rows(empty_database, keys) == [(True,)]


async def test_accounts_that_the_original_deleted_get_a_time(empty_database: str) -> None:
    """PURGE_DELETED_AFTER_DAYS erases them too, a whole term from the migration on: nobody noted when they were deleted."""
    await one(empty_database, {"email": "gone@example.com", "is_deleted": True})
    await add(empty_database, {"email": "siam@example.com"})
    await migrate(connector(empty_database))
    times = "SELECT email, deleted_at > now() - interval '1 minute' FROM users ORDER BY id"
    assert await rows(empty_database, times) == [("gone@example.com", True), ("siam@example.com", None)]
