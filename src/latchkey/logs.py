"""Log lines on standard output: readable text in development, one JSON object a line in production."""

import logging
import sys
from typing import Any

import structlog

_SHARED: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def configure_logging(*, development: bool) -> None:
    """Sets up structlog, and sends the lines of libraries that use the standard module the same way."""
    renderer: structlog.types.Processor
    renderer = _line if development else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*_SHARED, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=[_drop_meta, renderer])
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _drop_meta(_: Any, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(_, __, event)


def _line(_: Any, __: str, event: structlog.types.EventDict) -> str:
    """Formats a request as `12:00:00 GET /users 200 3.1 ms`, other lines as level, message and fields."""
    time = str(event.pop("timestamp"))[11:19]
    level, message, exception = event.pop("level"), event.pop("event"), event.pop("exception", None)
    if message == "request":
        return f"{time} {event['method']} {event['path']} {event['status']} {event['ms']} ms"
    fields = "".join(f" {name}={value!r}" for name, value in event.items())
    return f"{time} {level}: {message}{fields}" + (f"\n{exception}" if exception else "")
