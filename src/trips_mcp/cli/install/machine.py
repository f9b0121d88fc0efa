"""The computer that a client runs on: where programs keep their settings, and where other programs are.

All that differs between systems is here, and told by arguments, so that it can be tried for each of them on one.
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
    """As `sys.platform` names it."""
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
            raise CommandError(f"your home folder {home} is not there; set HOME to the one that is.")
        return cls(sys.platform, home, os.environ)

    @property
    def settings(self) -> Path:
        """Where programs with windows keep theirs."""
        if self.system == _WINDOWS:
            return self._folder("APPDATA", "AppData/Roaming")
        if self.system == _MAC:
            return self.home / "Library/Application Support"
        return self.dot_config

    @property
    def dot_config(self) -> Path:
        """Where programs of the command line keep theirs, some of them on every system."""
        return self._folder("XDG_CONFIG_HOME", ".config")

    def claude_desktop(self) -> Path:
        """On Windows its package, if that is how it was installed, sees a settings folder of its own."""
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
        """Its absolute path; unresolved, as a package manager's link outlives what it points to."""
        found = shutil.which(program, path=self.env.get("PATH", os.defpath))
        return None if found is None else os.path.abspath(found)  # noqa: PTH100 - keeps links

    def find_uvx(self) -> str | None:
        """Also where uv's installers put it, as that may not be on the PATH yet, and beside the uv that runs us."""
        file = "uvx.exe" if self.system == _WINDOWS else "uvx"
        folders = [self.home / ".local/bin", self.home / ".cargo/bin"]
        if uv := self.env.get("UV"):
            folders.insert(0, Path(uv).parent)
        beside = (str(folder / file) for folder in folders if os.path.isfile(folder / file))  # noqa: PTH113 - never an error
        return self.find("uvx") or next(beside, None)

    def can_pass(self, program: str, words: list[str]) -> bool:
        """Whether a program gets these words as they are: a Windows batch file has its own idea of some characters."""
        if self.system != _WINDOWS or not program.lower().endswith((".cmd", ".bat")):
            return True
        return not any(set(word) & set('"&|<>^%!\r\n') for word in words)

    def _folder(self, variable: str, below_home: str) -> Path:
        """An absolute one only, as the rules of these variables have it."""
        named = Path(self.env.get(variable, ""))
        return named if named.is_absolute() else self.home / below_home
