"""Time zones that the system's tables lack, as in slim containers."""

import zoneinfo
from collections.abc import Generator
from pathlib import Path

import pytest

from .conftest import Do


@pytest.fixture(params=["none", "few"])
def few_zones(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[None]:
    """A system that knows no zone at all, or none but Europe/Paris."""
    if request.param == "few":
        known = next(path for root in zoneinfo.TZPATH if (path := Path(root, "Europe/Paris")).exists())
        (tmp_path / "Europe").mkdir()
        (tmp_path / "Europe/Paris").write_bytes(known.read_bytes())
    zoneinfo.reset_tzpath([str(tmp_path)])
    zoneinfo.ZoneInfo.clear_cache()
    yield
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()


@pytest.mark.usefixtures("few_zones")
@pytest.mark.parametrize("zone", ["Europe/Paris", "US/Pacific", "Asia/Calcutta", "Europe/Kiev", "Asia/Tokyo"])
async def test_a_zone_that_the_system_lacks_is_known(do: Do, trip_id: str, zone: str) -> None:
    dates = {"startDate": "2026-11-01", "endDate": "2026-11-03"}
    await do("create_leg", tripId=trip_id, order=1, title="There", destination="There", timezone=zone, **dates)

    day = await do("get_day", tripId=trip_id, date="2026-11-02")

    assert day["zone"] == zone
