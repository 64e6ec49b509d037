"""The tables of a statement, section by section: page and worksheet are made from the same ones.

Facts that were not stated appear as "not provided", never as a guess.
"""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.reporting.sections import emissions, evidence, plant
from zerofactory.reporting.statement import Statement
from zerofactory.reporting.table import Table

MAKERS = (
    plant.organisation,
    plant.organisational_boundary,
    plant.reporting_boundary,
    plant.exclusions,
    emissions.categories,
    emissions.gases,
    emissions.electricity,
    emissions.apart,
    emissions.removals,
    emissions.intensity,
    emissions.energy,
    evidence.methods,
    evidence.method_changes,
    evidence.activities,
    evidence.quality,
    evidence.closures,
    evidence.gaps,
    evidence.uncertainty,
    evidence.factors,
    evidence.gwp,
    plant.base_year,
    plant.verification,
    plant.production,
    plant.seals,
    plant.factor_sets,
)


def tables(statement: Statement) -> dict[str, Table]:
    """Return every table of a report by key. An empty one has no rows and a note that says so."""
    total = statement.total_gco2e
    made = [maker(statement) for maker in MAKERS]
    made += [
        emissions.split("shops", Text("按车间", "By shop"), statement.shops, total),
        emissions.split("sources", Text("按排放源", "By source"), statement.sources, total),
        emissions.split("months", Text("按月份", "By month"), statement.months, total),
        emissions.split("classes", Text("按人机料法环", "By 4M1E class"), statement.classes, total),
        emissions.cross(
            "shop_categories",
            Text("车间 × 类别 (tCO₂e)", "Shop by category (tCO₂e)"),
            statement,
            (statement.shops, statement.shop_categories),
        ),
        emissions.cross(
            "month_categories",
            Text("月份 × 类别 (tCO₂e)", "Month by category (tCO₂e)"),
            statement,
            (statement.months, statement.month_categories),
        ),
    ]
    return {table.key: table for table in made}
