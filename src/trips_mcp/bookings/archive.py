"""Zip archives within bounds: a bomb is a few bytes that unpack to gigabytes."""

import io
import zipfile
import zlib
from typing import Final

_MOST_FILES: Final = 2_000
_LARGEST_FILE: Final = 8_000_000
_LARGEST: Final = 32_000_000
"""Unpacked bytes of one file, and of all."""
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    KeyError,
)


class ArchiveError(Exception):
    """The archive is damaged or too large. One sentence."""


class Archive:
    """Raises: ArchiveError."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN:
            raise ArchiveError("The archive is damaged or incomplete.") from None
        if len(self._zip.infolist()) > _MOST_FILES:
            raise ArchiveError(f"The archive has more than {_MOST_FILES:,} files.")
        self.names = tuple(self._zip.namelist())
        self._left = _LARGEST

    def read(self, name: str) -> bytes:
        """The unpacked content. The size that the archive states is not trusted."""
        limit = min(_LARGEST_FILE, self._left)
        try:
            with self._zip.open(name) as file:
                data = file.read(limit + 1)
        except _BROKEN:
            raise ArchiveError("The archive is damaged or incomplete.") from None
        if len(data) > limit:
            raise ArchiveError(f"The archive unpacks to more than {limit // 1_000_000} MB.")
        self._left -= len(data)
        return data

    def inner(self, name: str) -> "Archive | None":
        """An archive in this one. None if it is damaged."""
        try:
            inner = Archive(self.read(name))
        except ArchiveError:
            return None
        inner._left = self._left
        return inner if "pass.json" in inner.names else None
