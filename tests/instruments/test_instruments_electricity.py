"""Retired certificates under every claim regime: each counts once, in its month, and never behind a seal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.instruments.conftest import GEC, gec

from zerofactory.errors import FaultyData
from zerofactory.instruments.retire import Wanted
from zerofactory.periods import Period
from zerofactory.runs import close, electricity, import_data, instrument_import, instruments, inventory, verify
from zerofactory.runs.context import Context
from zerofactory.store.workspace import Workspace

MARCH = Period(2025, 3)
SOURCE = """
[[sources]]
id = "green-power"
kind = "green_power_contract"
name = { zh = "绿证", en = "certificates" }
shop = "utilities"
item = "electricity"
"""


def covered(context: Context) -> dict[str, int]:
    """Return by regime the watt-hours that contracts and certificates cover."""
    found = electricity.compare(context, MARCH)
    return {
        regime.id: sum(part.energy_wh for part in result.parts if part.key == "contract")
        for regime, result in found.results
    }


@pytest.fixture
def metered(small: Context, write_readings: Callable[..., Path], write_form: Callable[..., Path]) -> Context:
    """The small plant with a source of green power, its March readings and documents imported."""
    file = small.workspace.folder / "factory.toml"
    file.write_text(file.read_text("utf-8") + SOURCE, "utf-8")
    context = replace(small, workspace=Workspace.open(small.workspace.folder))
    days = "2025-03-01,2025-03-31"
    form = write_form(f"diesel,{days},1,t,,结算,D-1,", f"vehicles,{days},10,辆,,结算,V-1,")
    import_data.run(context, [write_readings(3), form])
    return replace(small, workspace=Workspace.open(small.workspace.folder))


def retired(context: Context, path: Path, into_closed: bool = False) -> None:
    fresh = lambda: replace(context, workspace=Workspace.open(context.workspace.folder))  # noqa: E731
    instrument_import.run(fresh(), [path], "gec")
    done = instruments.reserve(fresh(), instruments.Request("scope2_market", MARCH, Wanted(10), "test"))
    instruments.retire(fresh(), str(done.claim_id), "NEA-1", "", into_closed=into_closed)


def test_in_an_open_month_every_market_regime_takes_them_once(
    metered: Context, export: Callable[..., Path], later: Callable[..., Context]
) -> None:
    retired(metered, export(GEC, [gec(3, 1, 10, holder="测试公司")]))
    close.run(later(metered), MARCH)
    found = covered(later(metered))
    assert found["market_annual"] == 10_000_000
    assert found["china_programme"] == 10_000_000
    assert found["market_hourly"] == 0  # no generation profile
    assert found["location"] == found["eu_battery"] == 0
    assert verify.run(later(metered)).problems == ()


def test_with_a_generation_profile_they_are_matched_by_the_hour(
    metered: Context, export: Callable[..., Path], later: Callable[..., Context]
) -> None:
    heads = GEC.rstrip("\n") + ",逐时发电表计\n"
    unknown = export(heads, [gec(3, 1, 10, holder="测试公司").rstrip() + ",WIND-METER\n"], "unknown.csv")
    with pytest.raises(FaultyData):
        instrument_import.run(later(metered), [unknown], "gec")
    retired(metered, export(heads, [gec(3, 1, 10, holder="测试公司").rstrip() + ",E1\n"]))
    close.run(later(metered), MARCH)
    found = covered(later(metered))
    assert found["market_hourly"] == found["market_annual"] == 10_000_000


def test_behind_a_seal_nothing_moves_until_it_is_revised(
    metered: Context, export: Callable[..., Path], later: Callable[..., Context]
) -> None:
    close.run(metered, MARCH)
    before = electricity.compare(later(metered), MARCH)
    filed = inventory.read(later(metered), MARCH, "ghg_protocol_corporate").regimes_gco2e
    retired(later(metered), export(GEC, [gec(3, 1, 10, holder="测试公司")]), into_closed=True)
    after = electricity.compare(later(metered), MARCH)
    assert [r.emissions_gco2e for _, r in after.results] == [r.emissions_gco2e for _, r in before.results]
    close.run(later(metered), MARCH, revise=True, reason="late retirement")
    assert covered(later(metered))["market_annual"] == 10_000_000
    totals = inventory.read(later(metered), MARCH, "ghg_protocol_corporate").regimes_gco2e
    assert totals["market_annual"] < filed["market_annual"]
    assert totals["location"] == filed["location"]
    assert verify.run(later(metered)).problems == ()
