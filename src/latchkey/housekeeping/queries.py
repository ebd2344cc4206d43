"""SQL of housekeeping. All times are the database's."""

from dataclasses import dataclass

from latchkey.database.pool import Connection, Queryable
from latchkey.settings import Settings

# Any number, as long as nothing else in the database uses it for an advisory lock.
LOCK = 7_304_218_550_119


@dataclass(frozen=True, slots=True)
class Chore:
    """What is removed together. `due` selects the keys of what is due, oldest first where that costs nothing; `remove`
    removes those of the keys. `due` takes how many days something is kept as $1, and how many keys at most as $2.
    `lock` is added to it where what was found must stay as it is until it is removed."""

    name: str
    days: float
    due: str
    remove: tuple[str, ...]
    lock: str = ""


def chores(settings: Settings) -> list[Chore]:
    """What is to be done; audit rows and deleted accounts only when the settings give a number of days."""
    listed = [*_ALWAYS]
    if settings.audit_keep_days is not None:
        listed.append(Chore("audit rows", settings.audit_keep_days, *_AUDIT))
    if settings.purge_deleted_after_days is not None:
        listed.append(Chore("deleted accounts", settings.purge_deleted_after_days, *_ACCOUNTS))
    return listed


_BEFORE = "now() - make_interval(secs => $1::float8 * 86400)"

# An ended session's row tells a replayed token from a stolen one while the token lives (contract, section 6).
SESSION_DAYS = 2.0
TOKEN_DAYS = 1.0
SENT_MAIL_DAYS = 7.0
DEAD_MAIL_DAYS = 30.0
_END_RESET_TOKENS = (
    "UPDATE users SET reset_token = NULL, reset_token_expires = NULL WHERE id = ANY($1) AND reset_token_expires < now()"
)
_ALWAYS = (
    Chore(
        "ended sessions",
        SESSION_DAYS,
        f"SELECT id FROM sessions WHERE ended_at < {_BEFORE} LIMIT $2",
        ("DELETE FROM sessions WHERE id = ANY($1)",),
    ),
    Chore(
        "expired sessions",
        SESSION_DAYS,
        f"SELECT id FROM sessions WHERE ended_at IS NULL AND expires_at < {_BEFORE} LIMIT $2",
        ("DELETE FROM sessions WHERE id = ANY($1)",),
    ),
    Chore(
        "reset tokens",
        TOKEN_DAYS,
        f"SELECT id FROM users WHERE reset_token IS NOT NULL AND reset_token_expires < {_BEFORE} LIMIT $2",
        (_END_RESET_TOKENS,),
    ),
    Chore(
        "e-mail tokens",
        TOKEN_DAYS,
        # Not by the hash, which a wish whose mail was never made does not have.
        f"SELECT ctid FROM email_tokens WHERE expires_at < {_BEFORE} LIMIT $2",
        ("DELETE FROM email_tokens WHERE ctid = ANY($1) AND expires_at < now()",),
    ),
    Chore(
        "sent mails",
        SENT_MAIL_DAYS,
        f"SELECT id FROM mail_outbox WHERE sent_at < {_BEFORE} LIMIT $2",
        ("DELETE FROM mail_outbox WHERE id = ANY($1)",),
    ),
    Chore(
        "dead letters",
        DEAD_MAIL_DAYS,
        # One that is tried again meanwhile is no dead letter any more.
        f"SELECT id FROM mail_outbox WHERE failed_at < {_BEFORE} LIMIT $2",
        ("DELETE FROM mail_outbox WHERE id = ANY($1) AND failed_at IS NOT NULL",),
    ),
)
_OLDEST = "SELECT id, coalesce(created_at, '-infinity') AS made_at FROM audit_logs ORDER BY id LIMIT $2"
_AUDIT = (
    # Ids grow with time, so that the oldest are found without an index on it. The original's column may be NULL.
    f"SELECT id FROM ({_OLDEST}) AS oldest WHERE made_at < {_BEFORE}",
    ("DELETE FROM audit_logs WHERE id = ANY($1)",),
)
_ACCOUNTS = (
    f"SELECT id FROM users WHERE is_deleted AND deleted_at < {_BEFORE} ORDER BY id LIMIT $2",
    (
        "UPDATE audit_logs SET actor_id = NULL WHERE actor_id = ANY($1)",
        "DELETE FROM users WHERE id = ANY($1)",
    ),
    # So that none of them is restored meanwhile.
    " FOR UPDATE SKIP LOCKED",
)


async def is_only_one(connection: Connection) -> bool:
    """Whether nobody else is at it; nobody else will be until the transaction ends."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK))


async def remove(connection: Connection, chore: Chore, at_most: int) -> int:
    """Removes some of what is due; returns how many."""
    keys = [row[0] for row in await connection.fetch(chore.due + chore.lock, chore.days, at_most)]
    if keys:
        for statement in chore.remove:
            await connection.execute(statement, keys)
    return len(keys)


async def count_due(database: Queryable, chore: Chore, at_most: int) -> int:
    """How much is due, counted up to that many."""
    number: int = await database.fetchval(f"SELECT count(*) FROM ({chore.due}) AS due", chore.days, at_most)
    return number
