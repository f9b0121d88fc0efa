"""Importing what is big: the SDK, then the tools and what they stand on."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def without_collecting() -> Generator[None]:
    """Imports make many objects and next to no garbage: looking for it costs a tenth of the time.

    What they made is set aside afterwards, so that no later collection has to look through it either.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
