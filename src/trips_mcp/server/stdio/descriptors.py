"""Standard input and output, taken for the protocol alone. What only POSIX can do is decided here and in `pipes`."""

import os
import select

POSIX = os.name == "posix"
CHUNK = 64 * 1024


class DescriptorsClosedError(Exception):
    """There is nobody to talk to."""


class ProtocolDescriptors:
    """The two ends as file descriptors of our own, read and written without any buffer in between."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading = reading
        self.writing = writing

    @classmethod
    def claim(cls) -> "ProtocolDescriptors":
        """Takes descriptors 0 and 1 away from everybody else.

        From here on a stray `print`, of C code and child processes too, goes to stderr, and whoever reads
        standard input finds it empty.

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
        """Waits for input; no bytes are its end."""
        while True:
            try:
                return os.read(self.reading, CHUNK)
            except BlockingIOError:  # the host made its end non-blocking, and ours is the same
                select.select((self.reading,), (), ())
            except ConnectionError:
                return b""

    def quiet_for(self, seconds: float) -> bool:
        """Whether nothing arrives for that long. Never so where pipes cannot be watched."""
        return POSIX and not select.select((self.reading,), (), (), seconds)[0]

    def write(self, line: bytes) -> None:
        """Writes all of it, waiting for the reader as long as it takes.

        Raises:
            OSError: nobody reads any more.
        """
        left = memoryview(line)
        while left:
            try:
                left = left[os.write(self.writing, left) :]
            except BlockingIOError:
                select.select((), (self.writing,), ())


def _moved(descriptor: int) -> int:
    """A private duplicate, above the three that other code takes for granted."""
    if not POSIX:
        return os.dup(descriptor)
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
