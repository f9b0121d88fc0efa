"""Faster loading of modules and listings, with garbage collection paused."""

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Generator[None]:
    """Pauses garbage collection while the block loads modules.

    Loading makes many objects and almost no garbage; collecting would take a tenth of the time. Afterwards the new
    objects are frozen, so that later collections skip them. If the block imported nothing, nothing is frozen: a
    server opens many accounts one after another, and freezing would keep the garbage of the calls in between.
    """
    loaded = len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > loaded:
            gc.freeze()
        gc.enable()
