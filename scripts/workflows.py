"""Checks .github/workflows: against the published schema of such files, and for what makes them unsafe.

python scripts/workflows.py
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from registries import NOT_RUN, uv

ROOT: Final = Path(__file__).parent.parent
SCHEMA: Final = "check-jsonschema==0.39.0"
AUDIT: Final = "zizmor==1.32.0"


def main() -> int:
    for tool in (SCHEMA, AUDIT):
        if uvx(tool, "--version").returncode:
            print(f"{tool} could not be installed, and the workflows were not checked.")
            return NOT_RUN
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / ".github/workflows").glob("*.yml"))
    checks = [
        uvx(SCHEMA, "--builtin-schema", "vendor.github-workflows", *files),
        uvx(AUDIT, "--offline", "--quiet", "--config", ".github/zizmor.yml", *files),
    ]
    failed = [check for check in checks if check.returncode]
    for check in failed:
        print(check.stdout + check.stderr, file=sys.stderr)
    if not failed:
        print(f"{', '.join(files)}: as they should be")
    return 1 if failed else 0


def uvx(tool: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [uv(), "tool", "run", tool, *words], capture_output=True, encoding="utf-8", cwd=ROOT, timeout=300, check=False
    )


if __name__ == "__main__":
    sys.exit(main())
