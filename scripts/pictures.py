# /// script
# requires-python = ">=3.11"
# dependencies = ["fontpkg-jetbrains-mono==2.211", "pillow==13.0.0", "resvg-py==0.5.0", "rich==15.0.0"]
# ///
"""Draws the bundle's pictures: assets/icon.png of assets/icon.svg, assets/screenshot.png of what `trips-mcp demo` says.

uv run scripts/pictures.py
"""
# pyright: basic, reportMissingImports=false

import io
import re
import subprocess
from importlib.resources import files
from pathlib import Path

import resvg_py
from PIL import Image
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

SHOWN = (
    r"Put it in\.",
    "Tuesday",
    "The first one",
    "door code there",
    "not fit",
    "a day more",
    "Do it",
    "Take that back",
)
"""Words of the turns that are in the picture, besides the first: the whole would be too long to read."""
ROOT = Path(__file__).parent.parent
ASSETS = ROOT / "assets"
COLUMNS = 104
LARGEST_WIDTH = 1600
FONT = files("fontpkg_jetbrains_mono") / "files/JetBrainsMono[wght].ttf"
INK, PAPER = (214, 222, 235), (22, 27, 46)
RED, GREEN, YELLOW, BLUE = (255, 110, 110), (80, 220, 150), (255, 182, 39), (110, 170, 255)
MAGENTA, CYAN = (200, 150, 255), (90, 210, 230)
NIGHT = TerminalTheme(PAPER, INK, [PAPER, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, INK])


def main() -> None:
    icon = resvg_py.svg_to_bytes(svg_path=str(ASSETS / "icon.svg"), width=512, height=512)
    save(icon, "icon.png", colours=None)
    save(drawn(terminal(demo())), "screenshot.png", colours=128)


def demo() -> list[str]:
    """The turns that are in the picture, line by line."""
    words = ["uv", "run", "--quiet", "--directory", str(ROOT), "trips-mcp", "demo"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    first, *turns = said.split("\n\n")[1:-1]
    shown = [turn for turn in turns if re.search("|".join(SHOWN), turn)]
    return "\n\n".join([first, *shown]).splitlines()


def terminal(lines: list[str]) -> str:
    """As a picture of a terminal, in SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text.assemble(("$ ", "green"), ("trips-mcp demo", "bold")))
    for line in lines:
        text = Text(line.replace(" 🌸", ""))  # in colour, which the font does not have
        text.highlight_regex(r"^You", "bold cyan")
        text.highlight_regex(r"^Agent", "bold green")
        text.highlight_regex(r"^ +[a-z_]+(, [a-z_]+)*$", "blue")
        text.highlight_regex(r"“[^”]*”?", "yellow")
        console.print(text)
    return console.export_svg(title="trips-mcp", theme=NIGHT)


def drawn(svg: str) -> bytes:
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # the one it names would be fetched
    svg = re.sub(r"font-family: [^;]+;", "font-family: JetBrains Mono;", svg)
    return resvg_py.svg_to_bytes(svg_string=svg, font_files=[str(FONT)], skip_system_fonts=True, width=LARGEST_WIDTH)


def save(png: bytes, name: str, colours: int | None) -> None:
    picture = Image.open(io.BytesIO(bytes(png)))
    if colours:
        picture = picture.quantize(colours)
    picture.save(ASSETS / name, optimize=True)
    print(f"assets/{name}: {picture.width}x{picture.height}, {(ASSETS / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
