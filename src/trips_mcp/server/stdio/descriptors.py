"""File descriptors 0 and 1, reserved for the protocol."""

import os
import select

POSIX = os.name == "posix"
CHUNK = 64 * 1024


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
