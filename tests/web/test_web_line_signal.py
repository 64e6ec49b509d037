"""What the page of the line says of a station whose state a signal tells."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from zerofactory.errors import Text
from zerofactory.optimisation.twin.draw import Spread
from zerofactory.optimisation.twin.line import STATES, Line, Station
from zerofactory.runs.twin_file import Twin
from zerofactory.runs.twin_now import Now, StationNow
from zerofactory.web.line_view import seen_now
from zerofactory.web.visit import Visit

AT = datetime(2025, 3, 4, 1, 0, tzinfo=UTC)


def station(source: Any, since: datetime | None) -> StationNow:
    """Return a failed station at 40 kW."""
    return StationNow("a", Text("甲", "a"), "paint", "failed", since, 40.0, 41.0, -0.02, None, None, None, (), {}, {}, None, AT, "good", source)  # fmt: skip


def test_a_signalled_state_says_so_and_since_when() -> None:
    plant = SimpleNamespace(time_zone="Asia/Shanghai")
    visit = cast("Visit", SimpleNamespace(say=lambda zh, _en: zh, context=SimpleNamespace(workspace=SimpleNamespace(plant=plant))))  # fmt: skip
    twin = Twin(Line((Station("a", Text("甲", "a"), Spread("fixed", 60.0)),)), {}, None, "placeholder")
    told = seen_now(visit, twin, Now(AT, (station("signal", datetime(2025, 3, 4, 0, 3, 20, tzinfo=UTC)),), {}, "live"))
    assert told["states"] == [STATES.index("failed")]
    assert told["more"] == ["信号, 自 03-04 08:03:20 · 40 kW, 应有 41"]
    plain = seen_now(visit, twin, Now(AT, (station("power", AT),), {}, "live"))
    assert plain["more"] == ["40 kW, 应有 41"]
