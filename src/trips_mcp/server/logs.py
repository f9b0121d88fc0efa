"""Logging to stderr, without the data of requests and exceptions."""

import logging
import sys
import traceback
from typing import Any

from typing_extensions import override

_NOISY = ("mcp", "httpx", "httpcore", "aiosqlite", "sqlalchemy", "asyncio")
"""Loggers that would log URLs, SQL statements and messages below WARNING."""


class WithoutContents(logging.Formatter):
    """Omits exception messages from tracebacks, because they repeat arguments, SQL statements and bodies."""

    @override
    def formatException(self, ei: Any) -> str:
        _, error, _ = ei
        told: list[str] = []
        while isinstance(error, BaseException):
            frames = "".join(traceback.format_tb(error.__traceback__))
            told.insert(0, f"{type(error).__module__}.{type(error).__qualname__} at\n{frames}".rstrip())
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n... and then ...\n".join(told)


def log_to_stderr(level: str) -> None:
    if sys.stderr is None:  # the process was started without a stderr
        logging.disable()
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(WithoutContents("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


def say_what_broke(error: BaseException) -> None:
    """Logs the error that ends the process."""
    log_to_stderr("error")
    logging.getLogger(__name__).critical("the server broke down", exc_info=error)
