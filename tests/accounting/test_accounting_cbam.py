"""CBAM: SEE = (AttrEm + Σ M × SEE) / AL, its two forms agree, scrap carries nothing, faults are told together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zerofactory.accounting.cbam import Precursor, attributed, mass_balance_tco2, specific_embedded
from zerofactory.errors import FaultyData

MASSES = st.floats(min_value=0.1, max_value=1e6)
RATES = st.floats(min_value=0.0, max_value=30.0)


@given(direct=RATES, level=MASSES, parts=st.lists(st.tuples(MASSES, RATES, RATES), max_size=4))
def test_both_forms_agree(direct: float, level: float, parts: list[tuple[float, float, float]]) -> None:
    """ae_g + Σ m_i × SEE_i with m_i = M_i / AL_g is the same figure."""
    used = [Precursor(f"p{i}", *part) for i, part in enumerate(parts)]
    got = specific_embedded(direct, 2.0, level, used)
    assert got.direct_tco2e_per_t == pytest.approx(
        direct / level + sum(part.mass_t / level * part.direct_tco2e_per_t for part in used)
    )
    assert got.total_tco2e_per_t == got.direct_tco2e_per_t + got.indirect_tco2e_per_t


def test_scrap_carries_nothing_but_uses_mass() -> None:
    screws = specific_embedded(5.0, 20.0, 90.0, [Precursor("wire rod", 100.0, 2.0, 0.3), Precursor("scrap", 10.0, 0.0)])
    assert screws.direct_tco2e_per_t == pytest.approx((5 + 200) / 90)
    assert screws.indirect_tco2e_per_t == pytest.approx((20 + 30) / 90)


def test_attributed_emissions_and_mass_balance() -> None:
    assert attributed(100.0, 10.0, 4.0, 3.0, 9.0) == 100.0
    assert mass_balance_tco2([1.0], []) == 3.664


def test_faults_are_told_together() -> None:
    with pytest.raises(FaultyData) as caught:
        specific_embedded(1.0, 0.0, 0.0, [Precursor("coil", -1.0, 2.0), Precursor("rod", 1.0, -2.0)])
    assert [problem.code for problem in caught.value.problems] == [
        "accounting.cbam_activity", "accounting.cbam_precursor", "accounting.cbam_precursor",
    ]  # fmt: skip
