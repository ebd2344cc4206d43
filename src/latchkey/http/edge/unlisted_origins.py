"""Origins that would need to be in CORS_ORIGINS: each is logged once, with what to do."""

from collections import OrderedDict

import structlog

from latchkey.urls import origin_of

REMEMBERED_MAX = 1_000
ORIGIN_MAX_CHARS = 200
log = structlog.get_logger(__name__)


class UnlistedOrigins:
    """Logs origins. It remembers the thousand that came last: one that stayed away longer is logged again."""

    def __init__(self) -> None:
        self._logged: OrderedDict[str, None] = OrderedDict()

    def note(self, origin: str) -> None:
        """Logs an origin, unless it is remembered. It is a stranger's text: cut, and quoted by the log's own format."""
        origin = origin[:ORIGIN_MAX_CHARS]
        if origin in self._logged:
            self._logged.move_to_end(origin)
            return
        if len(self._logged) >= REMEMBERED_MAX:
            self._logged.popitem(last=False)
        self._logged[origin] = None
        can_be_listed = origin == origin_of(origin)
        log.warning(
            "an origin is not in CORS_ORIGINS: browsers do not let its pages read answers",
            origin=origin,
            advice="if the pages are yours, add it to CORS_ORIGINS"
            if can_be_listed
            else "this cannot be listed: serve the pages over http or https, from an origin of their own",
        )
