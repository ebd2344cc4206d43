"""The queries of GET /admin/audit and of its export."""

from pydantic import BaseModel, ConfigDict, Field

from latchkey.features.audit_log.search import AuditSearch
from latchkey.http.fields import absent
from latchkey.http.query_fields import number_of, one_of, text_of
from latchkey.http.times import Time
from latchkey.refusal import FieldError, ValidationFailed
from latchkey.users.user import USER_ID_MAX

LIMIT_MAX, LIMIT_DEFAULT = 200, 50


class AuditFilters(BaseModel):
    """Filters, which must all hold. `apiKeyId` needs `from`."""

    model_config = ConfigDict(extra="forbid")

    # Functions make the types of these fields, which mypy does not follow.
    actor_id: number_of(1, USER_ID_MAX) = Field(default_factory=absent, alias="actorId")  # type: ignore[valid-type]
    entity_id: number_of(1, USER_ID_MAX) = Field(default_factory=absent, alias="entityId")  # type: ignore[valid-type]
    action: text_of(100) = Field(default_factory=absent)  # type: ignore[valid-type]
    ip: text_of(100) = Field(default_factory=absent)  # type: ignore[valid-type]
    api_key_id: text_of(100) = Field(default_factory=absent, alias="apiKeyId")  # type: ignore[valid-type]
    since: Time = Field(default_factory=absent, alias="from")
    until: Time = Field(default_factory=absent, alias="to")

    def search(self) -> AuditSearch:
        """Returns the search. Raises ValidationFailed for `apiKeyId` without `from`, which would read all rows."""
        if self.api_key_id is not None and self.since is None:
            raise ValidationFailed(FieldError("from", "is required with apiKeyId"))
        return AuditSearch(
            actor_id=self.actor_id,
            entity_id=self.entity_id,
            action=self.action,
            ip=self.ip,
            api_key_id=self.api_key_id,
            since=self.since,
            until=self.until,
        )


class AuditQuery(AuditFilters):
    """The filters, and the place in the list."""

    limit: number_of(1, LIMIT_MAX) = LIMIT_DEFAULT  # type: ignore[valid-type]
    cursor: text_of(1_000) = Field(default_factory=absent, description="`meta.nextCursor` of the page before")  # type: ignore[valid-type]


class ExportQuery(AuditFilters):
    """The filters, and the format."""

    format: one_of("ndjson", "csv") = "ndjson"  # type: ignore[valid-type]
