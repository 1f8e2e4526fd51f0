"""Log lines that no value can forge and that hold no content, for our code and libraries alike.

Knows structlog and the standard `logging`; must not know what any event means.
"""

import logging
import re
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Final, Protocol, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from typing_extensions import override

from kit.settings import LogFormat, ServiceSettings
from kit.telemetry.traces import current_trace
from kit.text import clip

VALUE_LIMIT: Final = 2_000
"""Characters of one logged value; the rest is cut."""

FRAMES_LIMIT: Final = 12
"""Innermost stack frames of a logged exception; the rest is cut."""

EXCEPTION_TEXT_LIMIT: Final = 300
"""Characters of a logged exception's first line. Later lines are dropped: PostgreSQL puts the
offending values there."""

VALUES_LIMIT: Final = 50
"""Members of a logged list or mapping; the rest is cut."""

REPEATS_A_MINUTE: Final = 10
"""Lines a minute of one library message. Without it aiokafka writes several errors a second for
as long as the broker is away."""

_NOISY_LIMIT: Final = 1_000
"""Distinct library messages counted at once; then the counts start again."""

_HIDDEN: Final = re.compile(
    r"token|secret|password|passwd|authorization|cookie|phone|address|signature"
    r"|^(text|body|note|remark|headers)$"
)
"""Keys whose values never reach a log (P17). Ids, positions and counts are what a line is for."""

_HARMLESS: Final = frozenset({"addresses", "body_hash", "body_bytes", "token_id"})

_CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def configure_logging(settings: ServiceSettings, stream: TextIO | None = None) -> None:
    """Send every log line of the process, ours and libraries', through one safe pipeline.

    Lines go to `stream`, standard error unless given. Logging is the one piece of state that
    Python keeps per process: the last call wins.
    """
    output = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace,
        one_line_exception,
        hide_content,
        defuse,
    ]
    renderer = _renderer(settings.log_format, colors=output.isatty())
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.PrintLoggerFactory(output),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    handler.addFilter(Quieten(time.monotonic))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for chatty in ("aiokafka", "httpx2", "httpcore2", "uvicorn", "asyncio", "alembic"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


class Quieten(logging.Filter):
    """Lets at most `REPEATS_A_MINUTE` lines a minute through for one library message."""

    def __init__(self, monotonic: "Monotonic") -> None:
        super().__init__()
        self._monotonic = monotonic
        self._minute = -1
        self._seen: dict[tuple[str, str], int] = {}

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        minute = int(self._monotonic() // 60)
        if minute != self._minute or len(self._seen) >= _NOISY_LIMIT:
            self._minute, self._seen = minute, {}
        message = (record.name, str(record.msg))
        self._seen[message] = self._seen.get(message, 0) + 1
        return self._seen[message] <= REPEATS_A_MINUTE


class Monotonic(Protocol):
    """Seconds that never go back."""

    def __call__(self) -> float: ...


def one_line_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by the exception's type, its first line and its innermost frames."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        first = (str(error).splitlines() or [""])[0]
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES_LIMIT:]
        event["error"] = f"{type(error).__name__}: {clip(first, EXCEPTION_TEXT_LIMIT)}"
        event["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def hide_content(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank every value whose key says that it is secret or personal."""
    return {key: _hidden(key, value) for key, value in event.items()}


def defuse(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Escape control characters and cut long values, so that no value can forge a line."""
    return {_plain(key): _defused(value, depth=4) for key, value in event.items()}


def _hidden(key: str, value: object) -> object:
    if key not in _HARMLESS and _HIDDEN.search(key.lower()):
        return "***"
    if isinstance(value, Mapping):
        return {inner: _hidden(str(inner), value[inner]) for inner in value}
    return value


def _defused(value: object, *, depth: int) -> object:
    if isinstance(value, str):
        return _plain(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth and isinstance(value, Mapping):
        shown = list(value.items())[:VALUES_LIMIT]
        return {_plain(str(key)): _defused(inner, depth=depth - 1) for key, inner in shown}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [_defused(inner, depth=depth - 1) for inner in list(value)[:VALUES_LIMIT]]
    return _plain(str(value))


def _plain(text: str) -> str:
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", clip(text, VALUE_LIMIT))


def _add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    step = current_trace()
    if step is not None:
        event.setdefault("trace_id", step.trace_id)
    return event


def _renderer(log_format: LogFormat, *, colors: bool) -> Processor:
    if log_format is LogFormat.JSON:
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=colors)
