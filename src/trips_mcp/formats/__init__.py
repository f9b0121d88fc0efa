"""A trip as a file: iCalendar, GPX, KML, GeoJSON, Markdown, HTML.

Pure functions from an `Outline` to text. Nothing here sends or stores anything.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Literal

from trips_mcp.formats.outline import Outline

FormatName = Literal["ics", "gpx", "geojson", "kml", "md", "html"]


@dataclass(frozen=True, slots=True)
class FileFormat:
    media_type: str
    extension: str
    renderer: str
    """`module.function`; imported on use."""

    def render(self, outline: Outline, **options: bool) -> str:
        """The options are the renderer's: a calendar has `to_dos`."""
        module, _, function = self.renderer.partition(".")
        render: Callable[..., str] = getattr(import_module(f"{__name__}.{module}"), function)
        return render(outline, **options)


FORMAT: Final[Mapping[FormatName, FileFormat]] = {
    "ics": FileFormat("text/calendar", "ics", "icalendar.render"),
    "gpx": FileFormat("application/gpx+xml", "gpx", "map_files.render_gpx"),
    "geojson": FileFormat("application/geo+json", "geojson", "map_files.render_geojson"),
    "kml": FileFormat("application/vnd.google-earth.kml+xml", "kml", "map_files.render_kml"),
    "md": FileFormat("text/markdown", "md", "markdown.render"),
    "html": FileFormat("text/html", "html", "page.render"),
}
