"""A client's configuration file: one member is edited, and the file is checked first and replaced atomically.

An edit of JSON leaves every other character unchanged. The text must be an object, and so must the values on the path.
"""

import json
import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trips_mcp.json_values import is_object


class InstallRefusedError(Exception):
    consequence = "nothing was changed"


class NameTakenError(InstallRefusedError):
    """The name belongs to another server."""


class OwnCommandError(InstallRefusedError):
    """The client's own command failed."""

    def __init__(self, why: str, consequence: str = InstallRefusedError.consequence) -> None:
        super().__init__(why)
        self.consequence = consequence


_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    start: int
    value: int
    end: int


def with_member(text: str, path: Sequence[str], value: object) -> str:
    """Creates missing objects on the path."""
    opening = _after_space(text, 0)
    for depth, name in enumerate(path[:-1]):
        member = _last(_members(text, opening), name)
        if member is None:
            for missing in reversed(path[depth + 1 :]):
                value = {missing: value}
            return _with_new(text, opening, name, value)
        opening = member.value
    member = _last(_members(text, opening), path[-1])
    if member is None:
        return _with_new(text, opening, path[-1], value)
    return text[: member.value] + _rendered(text, value, member.value) + text[member.end :]


def without_member(text: str, path: Sequence[str]) -> str:
    opening = _after_space(text, 0)
    for name in path[:-1]:
        member = _last(_members(text, opening), name)
        if member is None:
            return text
        opening = member.value
    while (members := _members(text, opening)) and (member := _last(members, path[-1])):
        text = _without(text, opening, members, members.index(member))
    return text


def _members(text: str, opening: int) -> list[_Member]:
    found: list[_Member] = []
    at = _after_space(text, opening + 1)
    while text[at] != "}":
        name, after = _DECODER.raw_decode(text, at)
        value = _after_space(text, _after_space(text, after) + 1)
        _, end = _DECODER.raw_decode(text, value)
        found.append(_Member(name, at, value, end))
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return found


def _last(members: list[_Member], name: str) -> _Member | None:
    """The last member of that name, like JSON parsers."""
    return next((member for member in reversed(members) if member.name == name), None)


def _with_new(text: str, opening: int, name: str, value: object) -> str:
    members = _members(text, opening)
    key = f"{json.dumps(name, ensure_ascii=False)}: "
    if members and _in_a_line(text[opening : members[-1].end]):
        return _put(text, members[-1].end, f", {key}{json.dumps(value, ensure_ascii=False)}")
    newline = _newline(text)
    if members:
        indent = newline + _indent_at(text, members[-1].start)
        return _put(text, members[-1].end, f",{indent}{key}{_rendered(text, value, members[-1].start)}")
    outer = newline + _indent_at(text, opening)
    inner = outer + _unit(text)
    closing = _after_space(text, opening + 1)
    return f"{text[: opening + 1]}{inner}{key}{_indented(text, value, inner)}{outer}{text[closing:]}"


def _without(text: str, opening: int, members: list[_Member], index: int) -> str:
    if index + 1 < len(members):
        return text[: members[index].start] + text[members[index + 1].start :]
    if index > 0:
        return text[: members[index - 1].end] + text[members[index].end :]
    return text[: opening + 1] + text[_after_space(text, members[index].end) :]


def _rendered(text: str, value: object, at: int) -> str:
    """The value on several lines, unless the whole text is one line."""
    if _in_a_line(text.strip()):
        return json.dumps(value, ensure_ascii=False)
    return _indented(text, value, _newline(text) + _indent_at(text, at))


def _indented(text: str, value: object, line_start: str) -> str:
    return json.dumps(value, ensure_ascii=False, indent=_unit(text)).replace("\n", line_start)


def _in_a_line(text: str) -> bool:
    return "\n" not in text


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _unit(text: str) -> str:
    """One step of indentation, taken from the first member on its own line."""
    found = re.search(r"^([ \t]+)\"", text, re.MULTILINE)
    return found[1] if found else "  "


def _indent_at(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _put(text: str, at: int, added: str) -> str:
    return text[:at] + added + text[at:]


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


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
