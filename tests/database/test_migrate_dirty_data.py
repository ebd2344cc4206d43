"""Rows that the new rules cannot hold are listed, every one, and nothing is changed until they are settled."""

import pytest

from latchkey.database.adoption.adoption import Resolutions
from latchkey.database.adoption.dirty_data import DirtyData, DirtyRow
from latchkey.database.migrate import migrate
from tests.kit.original_database import (
    NO_FOREIGN_KEY,
    PARTIAL_INDEX,
    README,
    connector,
    rows,
    run,
    snapshot,
)

USER = "INSERT INTO users (id, name, email, password, is_deleted, reset_token, refresh_token) VALUES "
FLAGS = "--null-flags active|deleted"
EMAILS = "--duplicate-emails keep-oldest|keep-newest"
AUDITS = "--orphan-audits clear"
TOKENS = "--duplicate-reset-tokens clear"

NULL_FLAGS = f"""{README}
{USER} (1, 'n', '1@x', 'p', NULL, NULL, NULL), (2, 'n', '2@x', 'p', false, NULL, NULL),
       (3, 'n', '3@x', 'p', NULL, NULL, NULL)
"""
# Five accounts of one person, one of them deleted; and a pair that differs where only Unicode knows it (Ü, ü).
EMAIL_ROWS = f"""
{USER} (1, 'n', 'Siam@Example.com', 'p', false, NULL, repeat('1a', 32)),
       (2, 'n', 'siam@example.com', 'p', false, repeat('2', 64), repeat('2a', 32)),
       (3, 'n', 'other@example.com', 'p', false, NULL, NULL),
       (4, 'n', 'SIAM@example.com', 'p', true, NULL, NULL),
       (5, 'n', 'siam@EXAMPLE.com', 'p', false, NULL, repeat('5a', 32)),
       (6, 'n', 'Ü@example.com', 'p', false, NULL, NULL), (7, 'n', 'ü@example.com', 'p', false, NULL, NULL)
"""
ORPHANS = f"""{NO_FOREIGN_KEY}
{USER} (1, 'n', '1@x', 'p', false, NULL, NULL);
INSERT INTO audit_logs (actor_id, action, entity_type) VALUES (1, 'LOGIN', 'users'), (99, 'LOGIN', 'users'),
    (NULL, 'LOGIN', 'users'), (0, 'LOGIN', 'users')
"""
RESET_TOKENS = f"""{README}
{USER} (1, 'n', '1@x', 'p', false, '', NULL), (2, 'n', '2@x', 'p', false, 't', NULL),
       (3, 'n', '3@x', 'p', true, '', NULL), (4, 'n', '4@x', 'p', false, NULL, NULL),
       (5, 'n', '5@x', 'p', false, NULL, NULL)
"""

EMAIL_FINDINGS = [
    DirtyRow("users", 1, "'Siam@Example.com' is also the address of users 2, 5", EMAILS),
    DirtyRow("users", 2, "'siam@example.com' is also the address of users 1, 5", EMAILS),
    DirtyRow("users", 5, "'siam@EXAMPLE.com' is also the address of users 1, 2", EMAILS),
    DirtyRow("users", 6, "'Ü@example.com' is also the address of user 7", EMAILS),
    DirtyRow("users", 7, "'ü@example.com' is also the address of user 6", EMAILS),
]
LISTED = {
    "NULL flags": (
        NULL_FLAGS,
        [DirtyRow("users", user, "is_deleted is NULL, neither active nor deleted", FLAGS) for user in (1, 3)],
    ),
    "addresses under the README's schema": (README + EMAIL_ROWS, EMAIL_FINDINGS),
    "addresses under the partial index": (PARTIAL_INDEX + EMAIL_ROWS, EMAIL_FINDINGS),
    "audit rows without their user": (
        ORPHANS,
        [
            DirtyRow("audit_logs", 2, "actor_id 99 is no user", AUDITS),
            DirtyRow("audit_logs", 4, "actor_id 0 is no user", AUDITS),
        ],
    ),
    "reset tokens": (
        RESET_TOKENS,
        [
            DirtyRow("users", 1, "reset_token is also that of user 3", TOKENS),
            DirtyRow("users", 3, "reset_token is also that of user 1", TOKENS),
        ],
    ),
}


@pytest.mark.parametrize("kind", LISTED)
async def test_every_offending_row_is_listed_and_nothing_is_changed(empty_database: str, kind: str) -> None:
    """All or nothing: not even alembic_version appears; the text names each row and the option that settles it."""
    script, expected = LISTED[kind]
    await run(empty_database, script)
    before = await snapshot(empty_database)
    with pytest.raises(DirtyData) as found:
        await migrate(connector(empty_database))
    assert list(found.value.rows) == expected
    for finding in expected:
        assert f"{finding.table} {finding.id}: {finding.problem} ({finding.resolution})" in str(found.value)
    assert await snapshot(empty_database) == before


async def test_all_kinds_are_listed_at_once(empty_database: str) -> None:
    """One run tells the whole work, and an answer to one question does not hide the others."""
    await run(
        empty_database,
        f"""{NO_FOREIGN_KEY}
        {USER} (1, 'n', 'A@x', 'p', NULL, 't', NULL), (2, 'n', 'a@x', 'p', false, 't', NULL);
        INSERT INTO audit_logs (actor_id, action, entity_type) VALUES (3, 'LOGIN', 'users')""",
    )
    before = await snapshot(empty_database)
    with pytest.raises(DirtyData) as all_kinds:
        await migrate(connector(empty_database))
    assert [row.resolution for row in all_kinds.value.rows] == [*(FLAGS, EMAILS, EMAILS, TOKENS, TOKENS, AUDITS)]
    with pytest.raises(DirtyData) as rest:
        await migrate(connector(empty_database), resolve=Resolutions(null_flags="deleted", orphan_audits="clear"))
    assert [row.resolution for row in rest.value.rows] == [TOKENS, TOKENS]
    assert await snapshot(empty_database) == before


@pytest.mark.parametrize(("answer", "flag"), [("active", False), ("deleted", True)])
async def test_null_flags_become_what_the_operator_says(empty_database: str, answer: str, flag: bool) -> None:
    """Rows that node-api-postgres could neither show nor delete."""
    await run(empty_database, NULL_FLAGS)
    report = await migrate(connector(empty_database), resolve=Resolutions(null_flags=answer))  # type: ignore[arg-type]
    assert await rows(empty_database, "SELECT id, is_deleted, deleted_at IS NOT NULL FROM users ORDER BY id") == [
        (1, flag, flag),
        (2, False, False),
        (3, flag, flag),
    ]
    assert report.resolved == (f"users 1: NULL flag, now {answer}", f"users 3: NULL flag, now {answer}")


@pytest.mark.parametrize("schema", [README, PARTIAL_INDEX], ids=["readme", "partial index"])
async def test_keep_oldest_deletes_the_later_accounts_of_an_address(empty_database: str, schema: str) -> None:
    """Softly: an operator can restore them under another address. Their sessions and reset links end."""
    await run(empty_database, schema + EMAIL_ROWS)
    report = await migrate(connector(empty_database), resolve=Resolutions(duplicate_emails="keep-oldest"))
    assert sorted(report.resolved) == [
        "users 2: deleted, its address is that of user 1",
        "users 5: deleted, its address is that of user 1",
        "users 7: deleted, its address is that of user 6",
    ]
    users = "SELECT id, email, is_deleted, deleted_at IS NOT NULL FROM users ORDER BY id"
    assert await rows(empty_database, users) == [
        (1, "siam@example.com", False, False),
        (2, "siam@example.com", True, True),
        (3, "other@example.com", False, False),
        (4, "siam@example.com", True, True),
        (5, "siam@example.com", True, True),
        (6, "Ü@example.com", False, False),
        (7, "ü@example.com", True, True),
    ]
    assert await rows(empty_database, "SELECT user_id FROM sessions") == [(1,)]
    assert await rows(empty_database, "SELECT id FROM users WHERE reset_token IS NOT NULL") == []


async def test_keep_newest_deletes_the_earlier_accounts_of_an_address(empty_database: str) -> None:
    """The other answer; each deleted id is in the report."""
    await run(empty_database, README + EMAIL_ROWS)
    report = await migrate(connector(empty_database), resolve=Resolutions(duplicate_emails="keep-newest"))
    assert [line.split(":")[0] for line in sorted(report.resolved)] == ["users 1", "users 2", "users 6"]
    live = "SELECT id FROM users WHERE NOT is_deleted ORDER BY id"
    assert await rows(empty_database, live) == [(3,), (5,), (7,)]


async def test_a_row_made_active_counts_among_its_addresss_accounts(empty_database: str) -> None:
    """Two answers together: the flag is settled first, then whose address it is."""
    await run(
        empty_database,
        f"{README} {USER} (1, 'n', 'A@x', 'p', NULL, NULL, NULL), (2, 'n', 'a@x', 'p', false, NULL, NULL)",
    )
    both = Resolutions(null_flags="active", duplicate_emails="keep-newest")
    report = await migrate(connector(empty_database), resolve=both)
    assert report.resolved == ("users 1: NULL flag, now active", "users 1: deleted, its address is that of user 2")
    assert await rows(empty_database, "SELECT id, is_deleted FROM users ORDER BY id") == [(1, True), (2, False)]


async def test_orphan_audit_rows_keep_everything_but_the_actor(empty_database: str) -> None:
    """What happened stays on record; then the foreign key stands."""
    await run(empty_database, ORPHANS)
    report = await migrate(connector(empty_database), resolve=Resolutions(orphan_audits="clear"))
    assert sorted(report.resolved) == [
        "audit_logs 2: actor_id cleared, it was no user's",
        "audit_logs 4: actor_id cleared, it was no user's",
    ]
    actors = await rows(empty_database, "SELECT actor_id FROM audit_logs ORDER BY id")
    assert actors == [(1,), (None,), (None,), (None,)]
    keys = "SELECT convalidated FROM pg_constraint WHERE conrelid = 'audit_logs'::regclass AND contype = 'f'"
    assert await rows(empty_database, keys) == [(True,)]


async def test_reset_tokens_that_two_users_share_are_cleared_with_both(empty_database: str) -> None:
    """Whose link it is cannot be told; a lone token stays."""
    await run(empty_database, RESET_TOKENS)
    report = await migrate(connector(empty_database), resolve=Resolutions(duplicate_reset_tokens="clear"))
    assert [line.split(":")[0] for line in sorted(report.resolved)] == ["users 1", "users 3"]
    assert await rows(empty_database, "SELECT id FROM users WHERE reset_token IS NOT NULL") == [(2,)]
