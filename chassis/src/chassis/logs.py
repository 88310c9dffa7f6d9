"""Logs: JSON lines, or colours on a terminal. An exception gives its type and place; its text might carry data."""

import logging
import sys
import traceback
from typing import cast

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

QUIET = ("uvicorn.access", "faststream.access")


def configure(service: str) -> None:
    """Send every log of the process, ours and the libraries', to stderr as structured lines that name the service."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _where_it_failed,
        _of(service),
    ]
    final: Processor = structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        final = structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[remove, final], foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _of(service: str) -> Processor:
    def name_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return name_service


def _where_it_failed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    given = event.pop("exc_info", None)
    if given:
        error = _alone(given if isinstance(given, BaseException) else _raised(given))
        event["error"] = type(error).__name__
        event["where"] = _frames(error)
    return event


def _alone(error: BaseException | None) -> BaseException | None:
    """What a task group raised, rather than that one did, as long as it is one error."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _raised(given: object) -> BaseException | None:
    return cast("ExcInfo", given)[1] if isinstance(given, tuple) else sys.exc_info()[1]


def _frames(error: BaseException | None) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__) if error else []
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
