"""A client's configuration file, which is checked first and replaced atomically."""

import json
import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trips_mcp.cli.install.errors import InstallRefusedError
from trips_mcp.json_values import is_object

_BOM: Final = b"\xef\xbb\xbf"
_BACKUP: Final = ".before-trips-mcp"
_LARGEST: Final = 64 * 1024 * 1024
"""Maximum bytes. A larger file is not a configuration and is not read into memory."""
_STRING: Final = r'"(?:[^"\\\n]|\\.)*"'
_COMMENT: Final = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA: Final = re.compile(rf"({_STRING})|,(?=\s*[}}\]])")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    path: Path
    bytes: bytes | None
    """None if the file does not exist."""
    text: str
    content: dict[str, Any]
    is_plain: bool
    """Whether it is JSON without comments, which can be edited without loss."""


def look(path: Path) -> ConfigFile:
    """Raises: InstallRefusedError if we must not change the file, or it is not a configuration."""
    try:
        found = _bytes(path)
    except OSError as error:
        raise InstallRefusedError(f"{path} cannot be read ({_why(error)})") from None
    if found is None:
        return ConfigFile(path, None, "{}\n", {}, is_plain=True)
    try:
        text = found.removeprefix(_BOM).decode()
    except UnicodeDecodeError:
        raise InstallRefusedError(f"{path} is not UTF-8 text") from None
    if path.suffix == ".toml":
        return ConfigFile(path, found, text, _toml(path, text), is_plain=False)
    if not text.strip():
        return ConfigFile(path, found, "{}\n", {}, is_plain=True)
    content, is_plain = _json(path, text)
    return ConfigFile(path, found, text, content, is_plain)


def replace(old: ConfigFile, text: str) -> Path | None:
    """Returns the path of the backup, if there was a file.

    Raises: InstallRefusedError.
    """
    bom = _BOM if (old.bytes or b"").startswith(_BOM) else b""
    backup = None if old.bytes is None else old.path.with_name(old.path.name + _BACKUP)
    try:
        old.path.parent.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(old.path.parent), _beside(old, old.path, bom + text.encode()) as new:
            if backup is None or old.bytes is None:
                _swap_in(old, new, old.path)
            else:
                with _beside(old, backup, old.bytes) as copy:
                    _swap_in(old, copy, backup)
                    _swap_in(old, new, old.path)
    except OSError as error:
        raise InstallRefusedError(f"{old.path} cannot be written ({_why(error)})") from None
    return backup


def others_may_read(path: Path) -> bool:
    """False on Windows, where the mode does not say who may read."""
    return os.name != "nt" and bool(path.stat().st_mode & 0o077)


def _bytes(path: Path) -> bytes | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        above = next(folder for folder in path.parents if os.path.lexists(folder))
        if above.is_dir() and _is_read_only(above):
            raise InstallRefusedError(f"the folder {above} is read-only") from None
        return None
    except NotADirectoryError:
        return None
    if stat.S_ISLNK(status.st_mode) or (stat.S_ISREG(status.st_mode) and status.st_nlink > 1):
        raise InstallRefusedError(f"{path} is a link")
    if not stat.S_ISREG(status.st_mode):
        raise InstallRefusedError(f"{path} is not a file")
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise InstallRefusedError(f"{path} is read-only")
    if _is_read_only(path.parent):
        raise InstallRefusedError(f"the folder {path.parent} is read-only")
    if status.st_size > _LARGEST:
        raise InstallRefusedError(f"{path} is larger than any configuration")
    return path.read_bytes()


def _is_read_only(folder: Path) -> bool:
    """Checks the mode for root too, who could write anyway. On Windows a folder's mode says nothing."""
    by_mode = os.name != "nt" and not folder.stat().st_mode & 0o222
    return by_mode or not os.access(folder, os.W_OK)


def _json(path: Path, text: str) -> tuple[dict[str, Any], bool]:
    try:
        content, is_plain = json.loads(text), True
    except (ValueError, RecursionError) as error:
        content, is_plain = _json_with_comments(path, text, error), False
    if not is_object(content):
        raise InstallRefusedError(f"{path} is not a JSON object")
    return content, is_plain


def _json_with_comments(path: Path, text: str, error: Exception) -> object:
    bare = _TRAILING_COMMA.sub(r"\1", _COMMENT.sub(lambda found: found[1] or " ", text))
    try:
        return json.loads(bare)
    except (ValueError, RecursionError):
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InstallRefusedError(f"{path} is broken JSON{where}") from None


def _toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        raise InstallRefusedError(f"{path} is broken TOML") from None


@contextmanager
def _beside(old: ConfigFile, path: Path, content: bytes) -> Generator[str]:
    """A temporary file next to `path` with the content, removed afterwards unless it was swapped in."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # readable only by its owner
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if old.bytes is not None:
            _give_looks(old.path, name)
        yield name
    finally:
        with suppress(OSError):
            os.unlink(name)  # noqa: PTH108


def _swap_in(old: ConfigFile, name: str, path: Path) -> None:
    """Replaces the file atomically: a reader sees the old or the new content."""
    if _bytes(old.path) != old.bytes:
        raise InstallRefusedError(f"{old.path} was changed meanwhile")
    os.replace(name, path)  # noqa: PTH105


@contextmanager
def _one_at_a_time(folder: Path) -> Generator[None]:
    """Of this command: nobody else knows of it. The lock leaves nothing behind, as it is on the folder itself."""
    try:
        import fcntl
    except ImportError:  # Windows cannot lock folders
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems have no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _give_looks(like: Path, name: str) -> None:
    status = like.stat()
    os.chmod(name, stat.S_IMODE(status.st_mode))  # noqa: PTH101
    if hasattr(os, "chown"):
        with suppress(PermissionError):  # only root may change the owner
            os.chown(name, status.st_uid, status.st_gid)


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
