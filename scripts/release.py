"""Builds the published files into dist/, and uses them as users will.

    python scripts/release.py              the check
    python scripts/release.py --tag v1.2.3 and whether it is the release that this tag says

The source archive and the wheel that is built from it hold exactly what they should; the wheel is installed into an
empty environment, and run by uvx with the newest dependencies that it allows.
"""

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from argparse import ArgumentParser
from collections.abc import Iterable
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any, Final

from registries import NOT_RUN, uv

ROOT: Final = Path(__file__).parent.parent
DIST: Final = ROOT / "dist"
TWINE: Final = "twine==7.0.0"
NEEDED: Final = (
    "trips_mcp/py.typed",
    "trips_mcp/tools/listing.json",
    "trips_mcp/cli/demo/kyoto.json",
    "trips_mcp/formats/data/trip.html",
    "trips_mcp/places/data/LICENSES.md",
    "trips_mcp/places/data/airports.txt",
    "trips_mcp/places/data/cities.txt",
    "trips_mcp/places/data/countries.txt",
    "trips_mcp/places/data/metropolitan.txt",
    "trips_mcp/backend/store/migrations/env.py",  # loaded by Alembic as files, and not imported
    "trips_mcp/backend/store/migrations/script.py.mako",
    "trips_mcp/backend/store/migrations/versions/0001_first_tables.py",
    "trips_mcp/backend/store/migrations/versions/0002_groups_of_keys_and_sealed_answers.py",
)
"""Files in the wheel besides modules, read at run time or by type checkers."""
_LICENSES: Final = ("licenses/LICENSE", "licenses/src/trips_mcp/places/data/LICENSES.md")
_ABOUT_THE_WHEEL: Final = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", *_LICENSES)
_ABOUT_THE_SOURCE: Final = {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "pyproject.toml.orig"}
_NOT_AN_USERS: Final = ("OSOTO_", "TRAVELMODE_", "TRIPS_MCP_", "VIRTUAL_ENV", "UV_PROJECT", "UV_RUN_", "PYTHON")


class ReleaseError(Exception):
    """What is wrong, in one sentence."""


def main(words: list[str]) -> int:
    parser = ArgumentParser(description="Builds and checks what is published.")
    parser.add_argument("--tag", help="that it is to be released under")
    tag: str | None = parser.parse_args(words).tag
    if subprocess.run([uv(), "tool", "run", TWINE, "--version"], capture_output=True, check=False).returncode:
        print(f"{TWINE} could not be installed, so the package index is out of reach; nothing was built.")
        return NOT_RUN
    try:
        check(tag)
    except ReleaseError as error:
        print(f"Not fit to be released: {error}", file=sys.stderr)
        return 1
    print("Fit to be released.")
    return 0


def check(tag: str | None) -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    if tag is not None:
        check_tag(tag, project["version"])
    source, wheel = built(project["version"])
    run("what the index asks for", [uv(), "tool", "run", TWINE, "check", "--strict", str(source), str(wheel)])
    check_wheel(wheel, project)
    check_source(source)
    with tempfile.TemporaryDirectory(prefix="trips-mcp-release-") as folder:
        check_installed(wheel, project, Path(folder))


def check_tag(tag: str, version: str) -> None:
    expect(tag == f"v{version}", f"the tag is {tag}, and the version is {version}")
    newest = re.search(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    expect(
        newest is not None and re.fullmatch(rf"{re.escape(version)} - \d{{4}}-\d\d-\d\d", newest[1]) is not None,
        f"CHANGELOG.md does not begin with `## {version} - ` and the date",
    )


def built(version: str) -> tuple[Path, Path]:
    """The source archive, and the wheel made of that archive alone."""
    for old in DIST.glob("trips_mcp-*"):
        old.unlink()
    run("built", [uv(), "build", "--quiet", "--out-dir", str(DIST), str(ROOT)])
    source, wheel = DIST / f"trips_mcp-{version}.tar.gz", DIST / f"trips_mcp-{version}-py3-none-any.whl"
    made = sorted(DIST.glob("trips_mcp-*"))
    expect(made == sorted((source, wheel)), f"built were {[path.name for path in made]}")
    return source, wheel


def check_wheel(wheel: Path, project: dict[str, Any]) -> None:
    information = f"trips_mcp-{project['version']}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
        metadata = message_from_bytes(archive.read(f"{information}/METADATA"))
        licence = archive.read(f"{information}/licenses/LICENSE").decode()
    expect_just("the wheel", names, {*modules(""), *(f"{information}/{name}" for name in _ABOUT_THE_WHEEL)})
    expect(licence == (ROOT / "LICENSE").read_text("utf-8"), "the wheel's LICENSE is another")
    check_metadata(metadata, project)
    print(f"{wheel.name}: {len(names)} files, {wheel.stat().st_size:,} bytes")


def check_metadata(metadata: Message, project: dict[str, Any]) -> None:
    wanted = {
        "Name": project["name"],
        "Version": project["version"],
        "Requires-Python": project["requires-python"],
        "License-Expression": project["license"],
        "Description-Content-Type": "text/markdown",
    }
    told = {name: metadata[name] for name in wanted}
    expect(told == wanted, f"the metadata says {told}")
    urls = {str(text).partition(", ")[0] for text in metadata.get_all("Project-URL", ())}
    expect(urls == set(project["urls"]), f"the metadata has the URLs {sorted(urls)}")
    marker = re.findall(r"<!-- mcp-name: (\S+) -->", str(metadata.get_payload()))
    expect(marker == ["io.github.trips-mcp/trips-mcp"], f"the description vouches for {marker} in the MCP Registry")


def check_source(source: Path) -> None:
    with tarfile.open(source) as archive:
        files = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    expect_just("the source archive", files, {*modules("src/"), *_ABOUT_THE_SOURCE})
    print(f"{source.name}: {len(files)} files, {source.stat().st_size:,} bytes")


def check_installed(wheel: Path, project: dict[str, Any], folder: Path) -> None:
    python = folder / "empty" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    run("an empty environment", [uv(), "venv", "--quiet", str(folder / "empty")])
    run("installed", [uv(), "pip", "install", "--quiet", "--python", str(python), str(wheel)])
    run("dependencies", [uv(), "pip", "check", "--python", str(python)])
    imported = run("imported", [str(python), "-c", "import trips_mcp.client; print(trips_mcp.__version__)"], folder)
    expect(imported.strip() == project["version"], f"the installed package says it is {imported.strip()}")

    version = by_uvx(wheel, ["--version"], folder)
    expect(version.strip() == f"trips-mcp {project['version']}", f"--version says {version.strip()}")
    tools = by_uvx(wheel, ["tools"], folder).splitlines()[-1]
    expect(re.match(r"\d+ tools: ", tools) is not None, f"`tools` ends with {tools}")
    demo = by_uvx(wheel, ["demo"], folder)
    expect("Every answer was checked" in demo, "`demo` did not come to its end")
    print(f"uvx: {version.strip()}; {tools}; demo: {len(re.findall('^Agent ', demo, re.MULTILINE))} answers checked")


def by_uvx(wheel: Path, words: list[str], folder: Path) -> str:
    return run(f"uvx trips-mcp {words[0]}", [uv(), "tool", "run", "--from", str(wheel), "trips-mcp", *words], folder)


def run(what: str, words: list[str], folder: Path = ROOT) -> str:
    """What it prints. In another folder than this one, with nothing of this one's settings."""
    env = {name: text for name, text in os.environ.items() if not name.startswith(_NOT_AN_USERS)}
    if folder != ROOT:
        env |= {"XDG_DATA_HOME": str(folder), "XDG_STATE_HOME": str(folder)}
    done = subprocess.run(words, capture_output=True, encoding="utf-8", cwd=folder, env=env, timeout=600, check=False)
    if done.returncode:
        raise ReleaseError(f"{what}: exit code {done.returncode}.\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def modules(prefix: str) -> Iterable[str]:
    """The package: what is Python, and what else is needed; a file that was left lying in its folder is neither."""
    for path in (ROOT / "src/trips_mcp").rglob("*.py"):
        yield prefix + path.relative_to(ROOT / "src").as_posix()
    yield from (prefix + name for name in NEEDED)


def expect_just(what: str, there: set[str], wanted: set[str]) -> None:
    expect(there >= wanted, f"{what} lacks {sorted(wanted - there)}")
    expect(there <= wanted, f"{what} should not hold {sorted(there - wanted)}")


def expect(held: bool, otherwise: str) -> None:
    if not held:
        raise ReleaseError(f"{otherwise}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
