"""Text of PDF files, by `pypdf` (the extra `trips-mcp[pdf]`)."""

import io
import logging
from typing import Final

_MOST_PAGES: Final = 30
_LONGEST: Final = 200_000
"""Characters of text."""
INSTALL: Final = "PDF files need the extra pdf: install trips-mcp[pdf]."


class PdfError(Exception):
    """The file cannot be read. One sentence."""


def read_pdf_text(data: bytes) -> str:
    """Raises: PdfError."""
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError:
        raise PdfError(INSTALL) from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its warnings cite the file
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise PdfError("The PDF is protected by a password.")
        parts: list[str] = []
        for page in reader.pages[:_MOST_PAGES]:
            parts.append(page.extract_text())
            if sum(map(len, parts)) > _LONGEST:
                break
    except PdfError:
        raise
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
        OSError,
        ArithmeticError,
        NotImplementedError,
        ImportError,
        AssertionError,
        MemoryError,
    ):
        raise PdfError("The PDF is damaged and could not be read.") from None
    return "\n".join(parts)[:_LONGEST]
