"""Read-only inspection of SQLite files and their folders. Creates, migrates and writes nothing."""

import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

LITTLE: Final = 100 * 1024 * 1024
"""Bytes of free disk space; less is a hint."""
NEXT_TO_NONE: Final = 10 * 1024 * 1024
"""Bytes of free disk space; less is an error, because writes will soon fail."""


class LeftOpenError(Exception):
    """The last writer did not close the file. Reading all of it would start SQLite's recovery, which writes."""


@contextmanager
def read_only(file: Path) -> Generator[sqlite3.Connection]:
    """Raises: LeftOpenError, sqlite3.Error."""
    log, index = (file.with_name(f"{file.name}-{part}") for part in ("wal", "shm"))
    if log.exists() and log.stat().st_size and not index.exists():
        raise LeftOpenError
    # SQLite would create these two files to read a WAL database, unless it is opened as immutable
    mode = "mode=ro" if index.exists() else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True, timeout=1)) as db:
        yield db


def is_writable(file: Path) -> bool:
    """Whether the file can be written or created. For root, who may write anything, checks the mode instead."""
    if file.exists():
        return _may_write(file) and _may_write(file.parent)
    return _may_write(nearest(file))


def is_private(file: Path) -> bool:
    return sys.platform == "win32" or not stat.S_IMODE(file.stat().st_mode) & 0o077


def free_bytes(file: Path) -> int | None:
    """Free bytes on the file's disk; None if unknown."""
    try:
        return shutil.disk_usage(nearest(file)).free
    except OSError:
        return None


def nearest(file: Path) -> Path:
    """The nearest existing folder above the file."""
    return next((folder for folder in file.absolute().parents if os.path.lexists(folder)), Path(file.anchor))


def size(count: int) -> str:
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20)):
        if count >= factor:
            return f"{count / factor:,.1f} {unit}"
    return f"{count / 1024:,.0f} KiB"


def _may_write(path: Path) -> bool:
    told_by_mode = sys.platform != "win32" or not path.is_dir()
    return os.access(path, os.W_OK) and not (told_by_mode and not path.stat().st_mode & 0o222)
