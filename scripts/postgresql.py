"""A temporary PostgreSQL server for tests, from the programs of Debian's package `postgresql`.

    python scripts/postgresql.py COMMAND …   the server while the command runs, its URL in POSTGRESQL_TEST_URL
    python scripts/postgresql.py             the URL on stdout; the server ends with stdin

It listens on a Unix socket alone, and ends with its data. Where the setting is there already, that server is used.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from urllib.parse import quote

SETTING = "POSTGRESQL_TEST_URL"
MISSING = 69
"""Exit code when there is no PostgreSQL here."""
SECONDS_TO_START = 60

_IN_A_HURRY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_FOR_TESTS = ("listen_addresses=", "max_connections=200", *_IN_A_HURRY)


class NoServerError(Exception):
    """Why there is no server, in one sentence."""


@contextmanager
def server() -> Generator[str]:
    """The URL of its administrator, while the block lasts."""
    programs = _programs()
    # not in a folder of the tests: a socket's path must be short
    folder = Path(tempfile.mkdtemp(prefix="trips-postgresql-", dir="/tmp"))
    try:
        user = _unprivileged(folder)
        password = secrets.token_urlsafe(16)
        _make_cluster(programs, folder, user, password)
        with _running(programs, folder, user):
            yield f"postgresql+asyncpg://trips:{password}@/postgres?host={quote(str(folder))}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """The folder of the newest version's programs; Debian keeps it off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
    on_path = shutil.which("initdb")
    if found or on_path:
        return (found[-1] if found else Path(on_path or "").resolve()).parent
    raise NoServerError(
        f"PostgreSQL is not installed here (apt-get install postgresql), and {SETTING} names no server."
    )


def _unprivileged(folder: Path) -> str | None:
    """Whom the server runs as, who then owns the folder; None for oneself. It refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = next((name for name in ("postgres", "nobody") if name in names), None)
    if user is None:
        raise NoServerError("PostgreSQL does not run as root, and there is no user `postgres` or `nobody` here.")
    shutil.chown(folder, user)
    return user


def _make_cluster(programs: Path, folder: Path, user: str | None, password: str) -> None:
    secret = folder / "password"
    secret.write_text(password)
    if user:
        shutil.chown(secret, user)
    # sorted as people do, not by bytes: a test that relies on the server's order then fails
    language = ("--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
    made = subprocess.run(
        [
            *(programs / "initdb", "--pgdata", folder / "data", "--no-sync", "--username=trips"),
            *("--auth=scram-sha-256", f"--pwfile={secret}", *language),
        ],
        user=user,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    secret.unlink()
    if made.returncode:
        raise NoServerError(f"PostgreSQL could not make a cluster: {made.stderr.strip()}")


@contextmanager
def _running(programs: Path, folder: Path, user: str | None) -> Generator[None]:
    settings = [word for setting in (f"unix_socket_directories={folder}", *_FOR_TESTS) for word in ("-c", setting)]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", *settings],
            user=user,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the command, which may still want to clean up
        )
    try:
        _wait_for(programs, folder, process, log)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # "fast": open connections are closed
        process.wait(SECONDS_TO_START)


def _wait_for(programs: Path, folder: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + SECONDS_TO_START
    while subprocess.run([programs / "pg_isready", "-q", "-h", folder], check=False).returncode:
        if process.poll() is not None or time.monotonic() > ends:
            raise NoServerError(f"PostgreSQL did not start: {log.read_text(errors='replace').strip()}")
        time.sleep(0.05)


def _until_stdin_ends(url: str) -> int:
    print(url, flush=True)
    sys.stdin.read()
    return 0


def _leave(number: int, _: FrameType | None) -> None:
    """Ends the server too."""
    sys.exit(128 + number)


def main(command: list[str]) -> int:
    if os.environ.get(SETTING) and command:
        return subprocess.run(command, check=False).returncode
    signal.signal(signal.SIGTERM, _leave)
    try:
        with server() as url:
            if not command:
                return _until_stdin_ends(url)
            return subprocess.run(command, env=os.environ | {SETTING: url}, check=False).returncode
    except NoServerError as error:
        print(error, file=sys.stderr)
        return MISSING


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
