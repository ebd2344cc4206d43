"""Deletes an account whoever it belongs to, in a transaction that keeps a usable administrator."""

from uuid import UUID

from latchkey.audit.record import Change
from latchkey.features.accounts import queries
from latchkey.features.accounts.errors import LastAdmin
from latchkey.features.email_verification.queries import end_tokens
from latchkey.sessions.ending import SessionEnder
from latchkey.sessions.queries import EndedBy
from latchkey.users.errors import UserNotFound
from latchkey.users.user import User


async def require_usable_admin(change: Change) -> None:
    """Raises LastAdmin if the change, whose transaction has the lock of administrators, leaves no usable one."""
    if not await queries.has_usable_admin(change.connection):
        raise LastAdmin


async def delete_any(
    change: Change, ender: SessionEnder, user_id: int, session_id: UUID | None, *, force: bool
) -> User:
    """Marks a user as deleted and ends their sessions and mailed tokens. The transaction has the lock of
    administrators.

    `session_id` is the user's own session that deletes the account; None: another one's, which cannot restore it.
    Raises UserNotFound, and LastAdmin unless `force`.
    """
    deleted = await queries.delete_any(change.connection, user_id, session_id)
    if deleted is None:
        raise UserNotFound
    user, was_usable_admin = deleted
    if was_usable_admin and not force:
        await require_usable_admin(change)
    await finish_deletion(change, ender, user_id)
    return user


async def finish_deletion(change: Change, ender: SessionEnder, user_id: int) -> None:
    """Ends the sessions and mailed tokens of a user who has just been marked as deleted."""
    await end_tokens(change.connection, user_id)
    await ender.end_all(change, user_id, EndedBy.DELETION)
