"""The log says where an error happened, and nothing of the data."""

import logging
import sys

from trips_mcp.server.logs import WithoutContents


def test_a_traceback_is_logged_without_exception_messages() -> None:
    try:
        try:
            raise KeyError(f"K{4700 + 11}")
        except KeyError as error:
            raise RuntimeError(error) from error
    except RuntimeError:
        record = logging.LogRecord("a", logging.ERROR, __file__, 1, "it failed", None, sys.exc_info())

    told = WithoutContents().format(record)

    assert "it failed" in told
    assert "builtins.KeyError at" in told
    assert told.index("KeyError at") < told.index("RuntimeError at")
    assert "test_logs.py" in told
    assert "K4711" not in told
