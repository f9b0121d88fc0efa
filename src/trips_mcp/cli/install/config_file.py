"""A client's configuration file: looked at before anything is done, and replaced as a whole or not at all."""

import json
import os
import re
import stat
import tempfile
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trips_mcp.cli.install.refusal import RefusedError
from trips_mcp.contract.models import is_object

_BOM: Final = b"\xef\xbb\xbf"
_BACKUP: Final = ".before-trips-mcp"
_STRING: Final = r'"(?:[^"\\\n]|\\.)*"'
_COMMENT: Final = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA: Final = re.compile(rf"({_STRING})|,(?=\s*[}}\]])")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    path: Path
    bytes: bytes | None
    """None where there is no such file yet."""
    text: str
    content: dict[str, Any]
    is_plain: bool
    """Whether it is JSON without comments, which can be changed without loss."""


def look(path: Path) -> ConfigFile:
    """Raises: RefusedError where it is not ours to change, or not what the client's configuration is."""
    try:
        found = _bytes(path)
    except OSError as error:
        raise RefusedError(f"{path} cannot be read ({_why(error)})") from None
    if found is None:
        return ConfigFile(path, None, "{}\n", {}, is_plain=True)
    try:
        text = found.removeprefix(_BOM).decode()
    except UnicodeDecodeError:
        raise RefusedError(f"{path} is not UTF-8 text") from None
    if path.suffix == ".toml":
        return ConfigFile(path, found, text, _toml(path, text), is_plain=False)
    if not text.strip():
        return ConfigFile(path, found, "{}\n", {}, is_plain=True)
    content, is_plain = _json(path, text)
    return ConfigFile(path, found, text, content, is_plain)


def replace(old: ConfigFile, text: str) -> Path | None:
    """Gives where the file as it was is kept, if there was one.

    Raises: RefusedError.
    """
    try:
        old.path.parent.mkdir(parents=True, exist_ok=True)
        backup = None if old.bytes is None else old.path.with_name(old.path.name + _BACKUP)
        if backup is not None and old.bytes is not None:
            _swap_in(old, backup, old.bytes)
        bom = _BOM if (old.bytes or b"").startswith(_BOM) else b""
        _swap_in(old, old.path, bom + text.encode())
    except OSError as error:
        raise RefusedError(f"{old.path} cannot be written ({_why(error)})") from None
    return backup


def _bytes(path: Path) -> bytes | None:
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(status.st_mode) or (stat.S_ISREG(status.st_mode) and status.st_nlink > 1):
        raise RefusedError(f"{path} is a link")
    if not stat.S_ISREG(status.st_mode):
        raise RefusedError(f"{path} is not a file")
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise RefusedError(f"{path} is read-only")
    return path.read_bytes()


def _json(path: Path, text: str) -> tuple[dict[str, Any], bool]:
    try:
        content, is_plain = json.loads(text), True
    except (ValueError, RecursionError) as error:
        content, is_plain = _json_with_comments(path, text, error), False
    if not is_object(content):
        raise RefusedError(f"{path} is not a JSON object")
    return content, is_plain


def _json_with_comments(path: Path, text: str, error: Exception) -> object:
    bare = _TRAILING_COMMA.sub(r"\1", _COMMENT.sub(lambda found: found[1] or " ", text))
    try:
        return json.loads(bare)
    except (ValueError, RecursionError):
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise RefusedError(f"{path} is broken JSON{where}") from None


def _toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        raise RefusedError(f"{path} is broken TOML") from None


def _swap_in(old: ConfigFile, path: Path, content: bytes) -> None:
    """Whoever reads it meanwhile sees all of the one or all of the other."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # for its owner's eyes only
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if old.bytes is not None:
            _give_looks(old.path, name)
        if _bytes(old.path) != old.bytes:
            raise RefusedError(f"{old.path} was changed meanwhile")
        os.replace(name, path)  # noqa: PTH105
    except BaseException:
        with suppress(OSError):
            os.unlink(name)  # noqa: PTH108
        raise


def _give_looks(like: Path, name: str) -> None:
    status = like.stat()
    os.chmod(name, stat.S_IMODE(status.st_mode))  # noqa: PTH101
    if hasattr(os, "chown"):
        with suppress(PermissionError):  # only root may give files away
            os.chown(name, status.st_uid, status.st_gid)


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
