"""The statements that tests of speed count are those of requests."""

from tests.kit.own_postgres import of_requests

LOG = """\
[7] LOG:  execute __asyncpg_1: UPDATE mail_outbox SET attempts = attempts + 1
[7] LOG:  statement: COMMIT;
[8] LOG:  statement: BEGIN;
[8] LOG:  execute __asyncpg_2: INSERT INTO users
[7] LOG:  execute __asyncpg_1: SELECT 1
[9] LOG:  statement: BEGIN;
[9] LOG:  execute __asyncpg_1: UPDATE mail_outbox SET attempts = attempts + 1
[7] LOG:  execute __asyncpg_3: SELECT id FROM users
[8] LOG:  statement: COMMIT;
[9] LOG:  statement: COMMIT;
"""


def test_statements_of_workers_do_not_count() -> None:
    """Neither whole transactions nor what is left of one that began before the log."""
    assert of_requests(LOG) == ["SELECT id FROM users", "BEGIN", "INSERT INTO users", "COMMIT"]
