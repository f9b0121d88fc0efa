"""MCP over stdio: early responses at once, then the SDK as soon as a request needs it.

Every start imports this module, so it imports nothing heavy before the host has its list of tools.
"""

import os
import select
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from trips_mcp import __version__
from trips_mcp.server.jsonrpc import Batch, Inbox, MalformedError
from trips_mcp.server.offer import Offer, offer
from trips_mcp.server.preload import gc_paused
from trips_mcp.server.stdio.early_responses import EarlyResponses
from trips_mcp.settings import Settings

if TYPE_CHECKING:
    from threading import Thread

POSIX = os.name == "posix"
CHUNK = 64 * 1024

QUIET_SECONDS = 0.25
"""Idle seconds after the opening before the SDK import starts, as it would slow down responses."""

_POLL_SECONDS = 0.02

_IMPORTING_STACK = 16 * 1024 * 1024
"""Stack bytes for the import thread: building the SDK's models recurses deeply, and some C libraries give little."""


def run_stdio(settings: Settings) -> NoReturn:
    """Serves until the input ends, a signal arrives, or the reader is gone. Then exits the process.

    Raises: SettingsError if the settings select unknown tools.
    """
    with gc_paused():
        offered = offer(settings)
    serve_offer(offered, log=settings.log)


def serve_offer(offered: Offer, *, log: str = "warning", at_once: bool = True) -> NoReturn:
    """`at_once=False` sends no early responses; the SDK handles every message."""
    code = 0
    try:
        if os.isatty(0):
            _explain_to_a_terminal()
        signal.signal(signal.SIGINT, _stop)
        signal.signal(signal.SIGTERM, _stop)
        _session(offered, log, at_once)
    except BrokenPipeError:
        pass
    except DescriptorsClosedError:
        sys.stderr.write("trips-mcp: standard input or output is closed; it is for an MCP client to start.\n")
        code = 2
    except BaseException as error:  # noqa: BLE001 - the outermost boundary: no exception text reaches stderr
        from trips_mcp.server.logs import say_what_broke

        say_what_broke(error)
        code = 1
    finally:
        _leave(code)


def _session(offered: Offer, log: str, at_once: bool) -> None:
    wire = ProtocolDescriptors.claim()
    inbox = Inbox()
    sdk = _SdkImport()
    if at_once:
        early = EarlyResponses(offered)
        if not _answer_until_needed(sdk, early, wire, inbox):
            return
    sdk.wait()
    from trips_mcp.server.stdio.session import serve

    serve(offered, wire, inbox, log)


def _answer_until_needed(sdk: "_SdkImport", early: EarlyResponses, wire: "ProtocolDescriptors", inbox: Inbox) -> bool:
    """Whether the SDK is needed; False if the input ended first."""
    while True:
        try:
            message = inbox.next()
        except MalformedError as malformed:
            wire.write(malformed.reply())
            continue
        if message is None:
            if early.has_deferred and (inbox.ended or sdk.is_there_before(wire)):
                inbox.put_back(early.replay())
                return True
            if inbox.ended:
                return False
            if early.listed or (early.opened and wire.quiet_for(QUIET_SECONDS)):
                sdk.begin()
            inbox.feed(wire.read())
            continue
        reply = None if isinstance(message, Batch) else early.answer(message)
        if reply is None:
            inbox.put_back([*early.replay(), message])
            return True
        wire.write(reply)


class _SdkImport:
    """The SDK import, in a thread, so that early responses continue."""

    def __init__(self) -> None:
        self._thread: Thread | None = None

    def begin(self) -> None:
        if self._thread is None:
            import threading

            threading.stack_size(_IMPORTING_STACK)
            self._thread = threading.Thread(target=_import_sdk, name="import", daemon=True)
            self._thread.start()
            threading.stack_size(0)

    def is_there_before(self, wire: "ProtocolDescriptors") -> bool:
        """Whether the import finished before more input arrived. True at once where pipes cannot be watched."""
        if not POSIX:
            return True
        self.begin()
        while self._thread is not None and self._thread.is_alive():
            if not wire.quiet_for(_POLL_SECONDS):
                return False
        return True

    def wait(self) -> None:
        if self._thread is None:
            _import_sdk()
        else:
            self._thread.join()


def _import_sdk() -> None:
    with gc_paused():
        import trips_mcp.server.stdio.session as _  # noqa: F401


def _stop(_: int, __: FrameType | None) -> NoReturn:
    """Ends the process before its event loop runs. An exception could break an import or the creation of the loop."""
    _leave(0)


def _explain_to_a_terminal() -> None:
    sys.stderr.write(
        f"trips-mcp {__version__} serves MCP here: it waits for a client's JSON-RPC on standard input. "
        "Ctrl+C ends it; `trips-mcp --help` says what else there is.\n"
    )


def _leave(code: int) -> NoReturn:
    """Exits without the interpreter's teardown.

    Teardown takes longer than hosts wait. It would also crash a thread during an import or an uninterruptible read.
    """
    if sys.stderr is not None:  # the process was started without a stderr
        sys.stderr.flush()
    os._exit(code)


class DescriptorsClosedError(Exception):
    """Standard input or output is closed."""


class ProtocolDescriptors:
    """Private duplicates of standard input and output, read and written without buffers."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading = reading
        self.writing = writing

    @classmethod
    def claim(cls) -> "ProtocolDescriptors":
        """Moves the protocol off descriptors 0 and 1.

        Afterwards a stray `print`, also in C code or a child process, goes to stderr, and reads of standard input
        find it empty.

        Raises:
            DescriptorsClosedError: one of them is closed.
        """
        try:
            wire = cls(_moved(0), _moved(1))
        except OSError:
            raise DescriptorsClosedError from None
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 0)
        try:
            os.dup2(2, 1)
        except OSError:  # started without a stderr
            os.dup2(nowhere, 1)
        if nowhere > 2:
            os.close(nowhere)
        return wire

    def read(self) -> bytes:
        """Waits for input. Empty bytes mean the end of input."""
        while True:
            try:
                return os.read(self.reading, CHUNK)
            except BlockingIOError:  # the host made its end non-blocking, which affects ours too
                select.select((self.reading,), (), ())
            except ConnectionError:
                return b""

    def quiet_for(self, seconds: float) -> bool:
        """Whether no input arrives for that long. Always false where pipes cannot be watched."""
        return POSIX and not select.select((self.reading,), (), (), seconds)[0]

    def write(self, line: bytes) -> None:
        """Writes all of it, waiting for the reader as long as it takes.

        Raises:
            OSError: the reader is gone.
        """
        left = memoryview(line)
        while left:
            try:
                left = left[os.write(self.writing, left) :]
            except BlockingIOError:
                select.select((), (self.writing,), ())


def _moved(descriptor: int) -> int:
    """A private duplicate, numbered above the three standard descriptors."""
    if not POSIX:
        return os.dup(descriptor)
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
