"""The folder that `--files` allows: agents may read bookings from it, and exports are written to it.

No link is followed, neither to a file nor on the way to it, so nothing outside of the folder is read or written.
"""

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from trips_mcp.tools.error_text import ToolRefusedError

_MOST_NAMES: Final = 100
"""Names that are tried for a new file."""
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)
"""A pipe would wait for its writer."""
_BINARY: Final = getattr(os, "O_BINARY", 0)
_ENTERED_BY_HANDLE: Final = os.open in os.supports_dir_fd and _NO_FOLLOW != 0
_OUTSIDE: Final = "path: name a file in the folder that --files allows; .. and links are not followed."
_ABSENT: Final = "path: there is no such file in the folder that --files allows."


class SharedFolder:
    def __init__(self, root: str) -> None:
        self._root = Path(root)

    def read(self, path: str, largest: int) -> tuple[str, bytes]:
        """The name and the content of a file. Raises: ToolRefusedError."""
        parts = self._inside(path)
        try:
            handle = self._open(parts)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    raise ToolRefusedError(_ABSENT)
                data = file.read(largest + 1)
        except OSError as error:
            raise ToolRefusedError(self._why_not(error)) from None
        if len(data) > largest:
            raise ToolRefusedError(f"path: the file has more than {largest // 1_000_000} MB.")
        return parts[-1], data

    def write(self, name: str, data: bytes) -> str:
        """The path of a new file, or of one with this content that has the name. Raises: ToolRefusedError."""
        stem, extension = Path(name).stem, Path(name).suffix
        for number in range(1, _MOST_NAMES + 1):
            candidate = name if number == 1 else f"{stem}-{number}{extension}"
            try:
                if self._create(candidate, data) or self._has(candidate, data):
                    return str(self._root / candidate)
            except OSError as error:
                raise ToolRefusedError(
                    f"The file was not written to the folder of --files ({_reason(error)}); check that folder."
                ) from None
        raise ToolRefusedError(f"The folder of --files has {_MOST_NAMES} files named like {name}; move them first.")

    def _inside(self, path: str) -> Sequence[str]:
        """The names on the way from the folder to the file. Raises: ToolRefusedError."""
        text = unquote(urlsplit(path).path) if path.lower().startswith("file://") else path
        given = Path(text)
        for root in (self._root, Path(os.path.realpath(self._root))):
            if given.is_absolute() and given.is_relative_to(root):
                given = given.relative_to(root)
        parts = given.parts
        if not parts or given.is_absolute() or given.drive or ".." in parts or "\0" in text:
            raise ToolRefusedError(_OUTSIDE)
        return parts

    def _open(self, parts: Sequence[str]) -> int:
        """Raises: OSError, also for a link."""
        flags = os.O_RDONLY | _NO_FOLLOW | _NO_WAIT | _BINARY
        if not _ENTERED_BY_HANDLE:  # Windows
            here = self._root
            for part in parts:
                here /= part
                if _is_link(here):
                    raise OSError(errno.ELOOP, "a link")
            return os.open(here, flags)
        folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in parts[:-1]:
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | _NO_FOLLOW, dir_fd=folder)
                os.close(folder)
                folder = inner
            return os.open(parts[-1], flags, dir_fd=folder)
        finally:
            os.close(folder)

    def _create(self, name: str, data: bytes) -> bool:
        """False if the name is taken, by a link too. Raises: OSError."""
        target = self._root / name
        try:
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
        except FileExistsError:
            return False
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return True

    def _has(self, name: str, data: bytes) -> bool:
        try:
            return self.read(name, len(data))[1] == data
        except ToolRefusedError:
            return False

    def _why_not(self, error: OSError) -> str:
        if not self._root.is_dir():
            return "path: the folder of --files is not there; ask the user to create it, or to name another."
        if error.errno in (errno.ELOOP, errno.EMLINK):
            return _OUTSIDE
        if error.errno == errno.EACCES:
            return "path: the file may not be read; change its permissions."
        return _ABSENT


def _is_link(path: Path) -> bool:
    is_junction = getattr(path, "is_junction", None)  # from Python 3.12 on
    return path.is_symlink() or (is_junction is not None and is_junction())


def _reason(error: OSError) -> str:
    return (error.strerror or "it fails").lower()
