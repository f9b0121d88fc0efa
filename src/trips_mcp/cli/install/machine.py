"""The computer of a client: the folders of settings, and the paths of programs.

All differences between systems are here. They depend on arguments, so one system can test all of them.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from trips_mcp.cli.command import CommandError

_WINDOWS = "win32"
_MAC = "darwin"


@dataclass(frozen=True, slots=True)
class Machine:
    system: str
    """A value of `sys.platform`."""
    home: Path
    env: Mapping[str, str]

    @classmethod
    def this(cls) -> Self:
        try:
            home = Path.home()
        except RuntimeError:
            home = Path()
        named = os.environ.get("HOME")
        if (sys.platform != _WINDOWS and named is not None and not named.strip()) or not home.is_absolute():
            raise CommandError("your home folder cannot be found; set HOME to it.")
        if not home.is_dir():
            raise CommandError(f"your home folder {home} does not exist; set HOME to one that does.")
        return cls(sys.platform, home, os.environ)

    @property
    def settings(self) -> Path:
        """The settings folder of desktop programs."""
        if self.system == _WINDOWS:
            return self._folder("APPDATA", "AppData/Roaming")
        if self.system == _MAC:
            return self.home / "Library/Application Support"
        return self.dot_config

    @property
    def dot_config(self) -> Path:
        """The settings folder of command line programs; some use it on every system."""
        return self._folder("XDG_CONFIG_HOME", ".config")

    def claude_desktop(self) -> Path:
        """A Windows package has its own settings folder."""
        if self.system == _WINDOWS:
            packages = self._folder("LOCALAPPDATA", "AppData/Local") / "Packages"
            own = sorted(packages.glob("Claude_*/LocalCache/Roaming/Claude"))
            for folder in (*(one for one in own if (one / "claude_desktop_config.json").exists()), *own):
                return folder
        return self.settings / "Claude"

    def zed(self) -> Path:
        match self.system:
            case "win32":
                return self.settings / "Zed"
            case "darwin":
                return self.home / ".config/zed"
            case _:
                return self.dot_config / "zed"

    def find(self, program: str) -> str | None:
        """The absolute path. Links are not resolved, because a package manager's link outlives its target."""
        found = shutil.which(program, path=self.env.get("PATH", os.defpath))
        return None if found is None else os.path.abspath(found)  # noqa: PTH100 - keeps links

    def find_uvx(self) -> str | None:
        """Also searches the folders of uv's installers, which may not be on the PATH yet, and of the running uv."""
        file = "uvx.exe" if self.system == _WINDOWS else "uvx"
        folders = [self.home / ".local/bin", self.home / ".cargo/bin"]
        if uv := self.env.get("UV"):
            folders.insert(0, Path(uv).parent)
        beside = (str(folder / file) for folder in folders if os.path.isfile(folder / file))  # noqa: PTH113 - never an error
        return self.find("uvx") or next(beside, None)

    def can_pass(self, program: str, words: list[str]) -> bool:
        """Whether a program receives these words unchanged. A Windows batch file misreads some characters."""
        if self.system != _WINDOWS or not program.lower().endswith((".cmd", ".bat")):
            return True
        return not any(set(word) & set('"&|<>^%!\r\n') for word in words)

    def _folder(self, variable: str, below_home: str) -> Path:
        """Only an absolute path, as the XDG specification requires."""
        named = Path(self.env.get(variable, ""))
        return named if named.is_absolute() else self.home / below_home
