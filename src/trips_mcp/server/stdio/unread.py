"""What a reader has not yet taken of what was written to it, as far as the system tells."""

import os
import select
import stat

from trips_mcp.server.stdio.descriptors import POSIX


def unread(descriptor: int) -> int:
    """An upper bound in bytes. Linux counts them; 0 elsewhere, where to be written has to be enough."""
    if not POSIX:
        return 0
    import fcntl
    import termios

    kind = os.fstat(descriptor).st_mode
    if not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)):
        return 0
    request = termios.FIONREAD if stat.S_ISFIFO(kind) else termios.TIOCOUTQ
    try:
        return int.from_bytes(fcntl.ioctl(descriptor, request, bytes(4)), "little")
    except OSError:
        return 0


def has_reader(descriptor: int) -> bool:
    """Whether anybody could still read it."""
    if not POSIX:
        return True
    ends = select.poll()
    ends.register(descriptor, 0)
    return not ends.poll(0)
