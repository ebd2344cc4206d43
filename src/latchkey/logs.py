"""Log lines on standard output: readable text in development, one JSON object a line in production."""

import logging
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from structlog.types import EventDict, Processor


class Logger:
    """The logger of a module that commands use. It imports structlog with its first line.

    structlog loads rich, which takes a fifth of the time that a command needs to start, and most commands log nothing.
    Without `configure_logging`, lines go to standard error: a command prints its result on standard output.
    """

    def info(self, event: str, **fields: Any) -> None:
        _logger().info(event, **fields)

    def warning(self, event: str, **fields: Any) -> None:
        _logger().warning(event, **fields)

    def error(self, event: str, **fields: Any) -> None:
        _logger().error(event, **fields)


def _logger() -> Any:
    import structlog

    if structlog.is_configured():
        return structlog.get_logger()
    return structlog.wrap_logger(structlog.PrintLogger(sys.stderr))


def configure_logging(*, development: bool) -> None:
    """Sets up structlog, and sends the lines of libraries that use the standard module the same way."""
    import structlog

    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Processor = _line if development else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    drop_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[drop_meta, renderer])
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _line(_: Any, __: str, event: "EventDict") -> str:
    """Formats a request as `12:00:00 GET /users 200 3.1 ms`, other lines as level, message and fields."""
    time = str(event.pop("timestamp"))[11:19]
    level, message, exception = event.pop("level"), event.pop("event"), event.pop("exception", None)
    if message == "request":
        return f"{time} {event['method']} {event['path']} {event['status']} {event['ms']} ms"
    fields = "".join(f" {name}={value!r}" for name, value in event.items())
    return f"{time} {level}: {message}{fields}" + (f"\n{exception}" if exception else "")
