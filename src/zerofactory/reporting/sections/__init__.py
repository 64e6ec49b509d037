"""The tables of a statement, section by section: page and worksheet are made from the same ones.

Facts that were not stated appear as "not provided", never as a guess.
"""

from __future__ import annotations

from zerofactory.errors import Text
from zerofactory.reporting.sections import emissions, evidence, factors, plant
from zerofactory.reporting.statement import Statement
from zerofactory.reporting.table import Table

MAKERS = (
    plant.organisation,
    plant.organisational_boundary,
    plant.reporting_boundary,
    plant.exclusions,
    emissions.categories,
    emissions.indirect,
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
    evidence.remarks,
    evidence.closures,
    evidence.gaps,
    evidence.uncertainty,
    factors.factors,
    factors.factor_sources,
    factors.applied_factors,
    factors.factor_reasons,
    factors.gwp,
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
        emissions.sources(statement),
        emissions.split("classes", Text("按人机料法环", "By 4M1E class"), statement.classes, total),
        emissions.cross(
            "shops",
            Text("按车间与类别 (tCO₂e)", "By shop and category (tCO₂e)"),
            statement,
            (statement.shops, statement.shop_categories),
        ),
        emissions.cross(
            "months",
            Text("按月份与类别 (tCO₂e)", "By month and category (tCO₂e)"),
            statement,
            (statement.months, statement.month_categories),
        ),
    ]
    return {table.key: table for table in made}
