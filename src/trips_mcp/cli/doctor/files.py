"""SQLite files and their folders, looked at without leaving a trace: none is made, migrated or written to."""

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
"""Bytes of free disk space below which it is worth a word,"""
NEXT_TO_NONE: Final = 10 * 1024 * 1024
"""and below which writes are about to fail."""


class LeftOpenError(Exception):
    """Whoever wrote to it last ended without closing it: to read all of it would be to mend it."""


@contextmanager
def read_only(file: Path) -> Generator[sqlite3.Connection]:
    """Raises: LeftOpenError, sqlite3.Error."""
    log, index = (file.with_name(f"{file.name}-{part}") for part in ("wal", "shm"))
    if log.exists() and log.stat().st_size and not index.exists():
        raise LeftOpenError
    # SQLite would make these two to read a file of this kind, unless it may take for granted that nobody writes
    mode = "mode=ro" if index.exists() else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True, timeout=1)) as db:
        yield db


def is_writable(file: Path) -> bool:
    """Whether it could be written, or made; root may write anything, and is told what holds for others."""
    if file.exists():
        return _may_write(file) and _may_write(file.parent)
    return _may_write(nearest(file))


def is_private(file: Path) -> bool:
    return sys.platform == "win32" or not stat.S_IMODE(file.stat().st_mode) & 0o077


def free_bytes(file: Path) -> int | None:
    """On its disk; None where that cannot be told."""
    try:
        return shutil.disk_usage(nearest(file)).free
    except OSError:
        return None


def nearest(file: Path) -> Path:
    """The folder that it is in, or that its folders would be made in."""
    return next((folder for folder in file.absolute().parents if os.path.lexists(folder)), Path(file.anchor))


def size(count: int) -> str:
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20)):
        if count >= factor:
            return f"{count / factor:,.1f} {unit}"
    return f"{count / 1024:,.0f} KiB"


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK) and bool(path.stat().st_mode & 0o222)
