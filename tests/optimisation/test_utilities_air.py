"""Moist air and leaks against what is published."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.optimisation.utilities import air
from zerofactory.optimisation.utilities.leak import orifice_nm3_per_h

SATURATED = {5.0: (0.005425, 18.639), 25.0: (0.020173, 76.504), 50.0: (0.086863, 275.353)}
"""ASHRAE Fundamentals (2017), chapter 1, table 2: humidity ratio and enthalpy of saturated air at 101.325 kPa. The table has real
gas in it, the equations have not: they agree to 0.7 %."""
STEAM_KPA = {0.01: 0.611657, 20.0: 2.3393, 40.0: 7.3849, 60.0: 19.946, 80.0: 47.414, 100.0: 101.418}
"""Saturation pressure of water, IAPWS-IF97."""
DOE_CFM = {
    70: (1.16, 4.66, 18.62, 74.4), 80: (1.26, 5.24, 20.76, 83.1), 90: (1.46, 5.72, 23.1, 92.0), 100: (1.55, 6.31, 25.22, 100.9),
    125: (1.94, 7.66, 30.65, 122.2),
}  # fmt: skip
"""US DOE, Compressed Air Tip Sheet 3 (2004): free air in cubic feet a minute through 1/32, 1/16, 1/8 and 1/4 inch."""
INCH_MM, CUBIC_FEET_PER_MINUTE_M3_PER_H, PSI_KPA = 25.4, 1.699011, 6.894757


@pytest.mark.parametrize("celsius", SATURATED)
def test_saturated_air_is_that_of_the_ashrae_table(celsius: float) -> None:
    ratio, enthalpy = SATURATED[celsius]
    assert float(air.humidity(celsius, 1.0)) == pytest.approx(ratio, rel=0.007)
    assert float(air.enthalpy(celsius, ratio)) == pytest.approx(enthalpy, rel=0.003)


@pytest.mark.parametrize("celsius", STEAM_KPA)
def test_vapour_pressure_is_that_of_the_steam_tables(celsius: float) -> None:
    assert float(air.saturation_pa(celsius)) / 1000.0 == pytest.approx(STEAM_KPA[celsius], rel=5e-4)


def test_the_handbooks_example() -> None:
    """ASHRAE Fundamentals (2017), chapter 1, example 1: 40 °C dry bulb, 20 °C wet bulb: 6.5 g/kg, 56.7 kJ/kg, dew point 7 °C, 14 %,
    0.896 m3/kg, read off the chart."""
    assert float(air.enthalpy(40.0, 0.0065)) == pytest.approx(56.7, abs=0.4)
    assert float(air.dew_point(0.0065)) == pytest.approx(7.0, abs=0.7)
    assert float(air.relative(40.0, 0.0065)) == pytest.approx(0.14, abs=0.005)
    assert float(air.volume(40.0, 0.0065)) == pytest.approx(0.896, abs=0.001)
    assert float(air.wet_bulb(40.0, 0.0065)) == pytest.approx(20.0, abs=0.2)


@given(st.floats(-20.0, 45.0), st.floats(0.02, 1.0))
def test_wet_bulb_lies_between_dew_point_and_dry_bulb(celsius: float, fraction: float) -> None:
    ratio = air.humidity(celsius, fraction)
    wet, dew = float(air.wet_bulb(celsius, ratio)), float(air.dew_point(ratio))
    # Below zero the vapour over ice and the cooling of sublimation differ a little from those over water.
    assert dew - 0.05 <= wet <= celsius + 1e-6
    assert float(air.relative(celsius, ratio)) == pytest.approx(fraction, rel=1e-9)


def test_leaks_are_those_of_the_published_table() -> None:
    """The table is for well-rounded holes: 0.95 to 1 of the ideal flow of air at 21 °C, whatever the size."""
    found = []
    for psig, row in DOE_CFM.items():
        for inches, cfm in zip((1 / 32, 1 / 16, 1 / 8, 1 / 4), row, strict=True):
            nm3 = orifice_nm3_per_h(inches * INCH_MM, 1.0, psig * PSI_KPA, 21.1)
            free = nm3 * (273.15 + 21.1) / 273.15  # at the temperature of the room, as the table has it
            found.append(cfm * CUBIC_FEET_PER_MINUTE_M3_PER_H / free)
    assert 0.93 < min(found) < max(found) < 1.0
    assert np.mean(found) == pytest.approx(0.97, abs=0.015)


def test_flow_is_steady_where_it_ceases_to_be_choked() -> None:
    choking = 101.325 / 0.5282818 - 101.325
    below, above = (orifice_nm3_per_h(3.0, 0.61, choking + change, 20.0) for change in (-0.01, 0.01))
    assert below == pytest.approx(above, rel=3e-4)
    assert orifice_nm3_per_h(3.0, 0.61, 0.0, 20.0) == 0.0
