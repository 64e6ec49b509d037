"""EU CBAM: specific embedded emissions of a good from its own process and its precursors.

SEE_g = (AttrEm_g + Σ_i M_i × SEE_i) / AL_g, direct and indirect apart (Implementing Regulation (EU) 2023/1773, Annex III, F;
Commission guidance for installation operators; standards, 12); equivalently ae_g + Σ m_i × SEE_i with m_i = M_i/AL_g. Scrap
carries nothing. Steel and aluminium are charged on direct emissions only; the indirect ones are reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zerofactory.accounting.source import fault
from zerofactory.errors import FaultyData, Problem, Text

CARBON_TO_CO2 = 3.664  # the figure of the regulation; 44/12 in Chinese accounts


@dataclass(frozen=True, slots=True)
class Precursor:
    """A precursor used: mass in t, direct and indirect specific embedded emissions in tCO2e/t. Scrap has 0."""

    name: str
    mass_t: float
    direct_tco2e_per_t: float
    indirect_tco2e_per_t: float = 0.0


@dataclass(frozen=True, slots=True)
class Embedded:
    """Specific embedded emissions of a good in tCO2e per tonne."""

    direct_tco2e_per_t: float
    indirect_tco2e_per_t: float

    @property
    def total_tco2e_per_t(self) -> float:
        """Direct and indirect together."""
        return self.direct_tco2e_per_t + self.indirect_tco2e_per_t


def specific_embedded(
    direct_tco2e: float, indirect_tco2e: float, activity_t: float, precursors: Sequence[Precursor] = ()
) -> Embedded:
    """Return SEE of a good from attributed emissions (tCO2e), activity level (t) and precursors.

    Raises
    ------
    FaultyData
        An activity level that is not positive, a negative mass or a negative factor; every fault at once.

    Examples
    --------
    >>> specific_embedded(200.0, 0.0, 100.0).direct_tco2e_per_t
    2.0
    """
    problems = _faults(activity_t, precursors)
    if problems:
        raise FaultyData(problems)
    direct = direct_tco2e + sum(part.mass_t * part.direct_tco2e_per_t for part in precursors)
    indirect = indirect_tco2e + sum(part.mass_t * part.indirect_tco2e_per_t for part in precursors)
    return Embedded(direct / activity_t, indirect / activity_t)


def attributed(
    direct_tco2e: float,
    heat_in_tco2e: float = 0.0,
    heat_out_tco2e: float = 0.0,
    waste_gas_tco2e: float = 0.0,
    electricity_out_tco2e: float = 0.0,
) -> float:
    """Return attributed direct emissions: direct + heat in − heat out + waste-gas correction − electricity produced."""
    return direct_tco2e + heat_in_tco2e - heat_out_tco2e + waste_gas_tco2e - electricity_out_tco2e


def mass_balance_tco2(carbon_in_t: Sequence[float], carbon_out_t: Sequence[float]) -> float:
    """Return CO2 in t from carbon in and out in t: (Σ in − Σ out) × 3.664.

    Examples
    --------
    >>> round(mass_balance_tco2([10.0], [2.0]), 3)
    29.312
    """
    return (sum(carbon_in_t) - sum(carbon_out_t)) * CARBON_TO_CO2


def _faults(activity_t: float, precursors: Sequence[Precursor]) -> list[Problem]:
    problems = []
    if not activity_t > 0.0:
        problems.append(
            fault(
                "cbam_activity",
                Text(
                    f"活动水平 {activity_t:g} t 应为正。", f"The activity level of {activity_t:g} t should be positive."
                ),
                Text("请填报告期内该商品的产量。", "Give the output of the good in the period."),
            )
        )
    for part in precursors:
        if part.mass_t < 0.0 or part.direct_tco2e_per_t < 0.0 or part.indirect_tco2e_per_t < 0.0:
            problems.append(
                fault(
                    "cbam_precursor",
                    Text(
                        f"前体“{part.name}”的质量或排放为负。",
                        f"Precursor '{part.name}' has a negative mass or emission.",
                    ),
                    Text("请核对前体用量与其特定隐含排放。", "Check its mass and its specific embedded emissions."),
                )
            )
    return problems
