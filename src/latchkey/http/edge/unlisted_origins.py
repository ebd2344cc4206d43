"""Logs origins that are missing in CORS_ORIGINS, each once, with advice."""

from collections import OrderedDict

import structlog

from latchkey.urls import origin_of

REMEMBERED_MAX = 1_000
ORIGIN_MAX_CHARS = 200
log = structlog.get_logger(__name__)


class UnlistedOrigins:
    """Logs origins. It remembers the last thousand, so an older one can be logged again."""

    def __init__(self) -> None:
        self._logged: OrderedDict[str, None] = OrderedDict()

    def note(self, origin: str) -> None:
        """Logs an origin that is not remembered.

        A stranger chose its text: it is cut, and the log's format quotes it.
        """
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
