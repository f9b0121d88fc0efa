"""PDF files: their text, boarding passes in it, and what is said where there is none."""

import builtins
import io
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter

from .made_up import BOARDING, read


def pdf(text: str) -> bytes:
    """One page, as plain as the format allows."""
    stream = f"BT /F1 10 Tf 50 700 Td ({text}) Tj ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Courier >> >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
    ]
    data, offsets = "%PDF-1.4\n", list[int]()
    for number, one in enumerate(objects, 1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{one}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size, at = len(objects) + 1, len(data)
    data += (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n"
    )
    return data.encode()


def test_a_boarding_pass_in_a_pdf_is_read() -> None:
    (flight,) = read(pdf(BOARDING)).bookings

    assert (flight.number, flight.origin.code, flight.confirmation_number) == ("BT212", "TXL", "XXX007")


def test_a_pdf_without_a_booking_gives_its_text() -> None:
    assert read(pdf("Hotel Beispiel, 3 nights")).texts == ("Hotel Beispiel, 3 nights",)


def test_a_pdf_without_text_and_one_with_a_password_say_so() -> None:
    locked = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(BOARDING))))
    locked.encrypt("secret", algorithm="RC4-128")
    written = io.BytesIO()
    locked.write(written)

    assert read(pdf("")).unread == ("The PDF has no text; it is a picture.",)
    assert read(written.getvalue()).unread == ("The PDF is protected by a password.",)


def test_without_the_extra_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.partition(".")[0] == "pypdf":
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)

    assert read(pdf(BOARDING)).unread == ("PDF files need the extra pdf: install trips-mcp[pdf].",)
