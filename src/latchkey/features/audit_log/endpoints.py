"""The endpoints /admin/audit."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from latchkey.audit.record import AuditLog, Change
from latchkey.database.pool import DatabaseUnavailable
from latchkey.features.admin_access.access import AdminAccess
from latchkey.features.admin_access.actor import actor_of
from latchkey.features.audit_log.actions import AuditLogAction
from latchkey.features.audit_log.export import MEDIA_TYPES, lines_of
from latchkey.features.audit_log.list_query import AuditQuery, ExportQuery
from latchkey.features.audit_log.reading import AuditReader
from latchkey.features.audit_log.scopes import AuditScope
from latchkey.features.audit_log.views import AuditView, view_of
from latchkey.http.bound_cursors import BoundCursors
from latchkey.http.endpoint import Call, Endpoint, Reply, Success
from latchkey.http.exchange import answer_header
from latchkey.http.page_meta import CursorMeta
from latchkey.http.streamed import BrokenOff, StreamedResponse
from latchkey.refusal import ServiceUnavailable

TAG = "Administration"
EXPORTS_AT_A_TIME = 4


class _Exports:
    """The exports that this process is sending."""

    def __init__(self) -> None:
        self.under_way = 0

    async def pieces(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yields the pieces of one export. Raises BrokenOff when the database cannot go on."""
        self.under_way += 1
        try:
            async for piece in pieces:
                yield piece
        except DatabaseUnavailable as error:
            raise BrokenOff(str(error)) from error
        finally:
            self.under_way -= 1


def list_endpoint(reader: AuditReader, cursors: BoundCursors, access: AdminAccess) -> Endpoint[Any]:
    """Returns the endpoint that lists audit rows."""

    async def list_audit(call: Call[None]) -> Reply:
        query: AuditQuery = call.query
        search = query.search()
        below = cursors.read(search.about, query.cursor)[0] if query.cursor else None
        found = await reader.rows(search, limit=query.limit + 1, below=below)
        shown = found[: query.limit]
        following = cursors.write(search.about, [shown[-1].id]) if len(found) > query.limit else None
        return Reply([view_of(row) for row in shown], CursorMeta(limit=query.limit, next_cursor=following))

    return Endpoint(
        method="GET",
        path="/admin/audit",
        handler=list_audit,
        tag=TAG,
        summary="Search the audit log",
        description="Newest first. All filters that are given must hold; `apiKeyId` needs `from`.",
        success=(Success(data=list[AuditView], meta=CursorMeta),),
        guard=access.guard(AuditScope.READ),
        query=AuditQuery,
    )


def export_endpoint(
    reader: AuditReader, audit: AuditLog, access: AdminAccess, stopping: asyncio.Event
) -> Endpoint[Any]:
    """Returns the endpoint that exports audit rows."""
    exports = _Exports()

    async def export_audit(call: Call[None]) -> Reply:
        query: ExportQuery = call.query
        search = query.search()
        if exports.under_way >= EXPORTS_AT_A_TIME:
            raise ServiceUnavailable
        newest = await reader.newest_id()

        async def record(change: Change) -> None:
            filters = query.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"format"})
            details = {"format": query.format, "filters": filters}
            await change.record(
                actor_of(call).event(AuditLogAction.EXPORT_AUDIT, None, details=details, entity_type="audit_logs")
            )

        # First: whoever gets rows is in the log.
        if call.exchange.method != "HEAD":
            await audit.change(record)
        headers = [
            answer_header("Content-Type", f"{MEDIA_TYPES[query.format]}; charset=utf-8"),
            answer_header("Content-Disposition", f'attachment; filename="audit.{query.format}"'),
            answer_header("Cache-Control", "no-store"),
        ]
        pieces = exports.pieces(lines_of(reader.batches(search, below=newest + 1), query.format))
        return Reply(response=StreamedResponse(pieces, headers, stopping=stopping, request_id=call.exchange.request_id))

    return Endpoint(
        method="GET",
        path="/admin/audit/export",
        handler=export_audit,
        tag=TAG,
        summary="Export the audit log",
        description=(
            "Streams all rows up to the newest one, newest first; not those that are still being written. If something"
            " fails on the way, the connection breaks: an answer that ends properly is whole. Admins must have just"
            " signed in."
        ),
        success=(Success(media_types=tuple(MEDIA_TYPES.values())),),
        guard=access.guard(AuditScope.READ, recent=True),
        query=ExportQuery,
    )
