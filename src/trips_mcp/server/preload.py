"""Making much that stays: the tools' listings, the SDK's import, then that of the tools and what they stand on."""

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def without_collecting() -> Generator[None]:
    """That makes many objects and next to no garbage: looking for it costs a tenth of the time.

    What they made is set aside afterwards, so that no later collection has to look through it either. Where
    nothing was left to import nothing is set aside: a server of many accounts opens one after the other, and the
    garbage of the calls between would be kept for good.
    """
    loaded = len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > loaded:
            gc.freeze()
        gc.enable()
