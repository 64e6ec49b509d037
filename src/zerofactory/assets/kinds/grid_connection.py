"""Grid connection: what the plant buys and sells behind its transformer, its limits, losses and the peak of each month.

    bus = (1 − load loss) · import − export / (1 − load loss) − no-load loss
    import ≤ import limit,  export ≤ export limit,  import + export ≤ transformer rating · power factor
    import[t] ≤ peak[month of t]

Import and export are what the settlement meter on the high side reads. Load loss is taken as a share of the power at the
plant's usual load (the true one goes with its square); no-load loss runs through.
Under ``demand_basis = "maximum"`` the peak of a month is paid; under ``"capacity"`` the rating of the transformers is.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zerofactory.assets.asset import Asset, At, Conditions, Example, Input, Stepped, Values
from zerofactory.assets.block import AssetBlock, Emission, Flow, Given, Row, Term, Variable
from zerofactory.errors import Text


def rating_kw(values: Values) -> float:
    """Return the active power the transformers carry."""
    return values["transformer_kva"] * values["power_factor_fraction"]


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what passes the meter: wishes cut to the limits and to the transformer, import first."""
    del at
    bought = min(max(action["import_kw"], 0.0), values["import_limit_kw"], rating_kw(values))
    sold = min(max(action["export_kw"], 0.0), values["export_limit_kw"], rating_kw(values) - bought)
    return Stepped(state, {"import_kw": bought, "export_kw": sold})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the connection, priced with the series of the tariff."""
    hours, rating = conditions.grid.step_hours, rating_kw(values)
    buy = np.multiply(conditions.amount("import_price_cny_per_kwh"), hours)
    sell = np.multiply(conditions.amount("export_price_cny_per_kwh"), -hours)
    keep = 1.0 - values["load_loss_fraction"]
    variables = (
        Variable("import_kw", upper=min(values["import_limit_kw"], rating), cost_cny=buy),
        Variable("export_kw", upper=min(values["export_limit_kw"], rating), cost_cny=sell),
        *_demand(values, conditions),
    )
    rows = [Row("transformer", (Term("import_kw"), Term("export_kw")), "<=", rating)]
    if variables[2].name == "peak_kw":
        rows.append(Row("peak", (Term("import_kw"), Term("peak_kw", -1.0)), "<="))
    return AssetBlock(
        "grid_connection",
        variables,
        tuple(rows),
        (Flow("electricity", "import_kw", keep), Flow("electricity", "export_kw", -1.0 / keep)),
        given=(Given("electricity", -values["no_load_loss_kw"]),),
        emissions=(
            Emission("import_kw", "purchased_electricity", "electricity"),
            Emission("export_kw", "exported_electricity", "electricity"),
        ),
    )


def _demand(values: Values, conditions: Conditions) -> tuple[Variable, ...]:
    """Return what the two-part tariff charges beside energy: the peak of each month, or the transformers."""
    months = len(conditions.grid.months)
    if values.text("demand_basis") == "maximum":
        price, so_far = conditions.per_month("demand_price_cny_per_kw_month"), conditions.per_month("peak_so_far_kw")
        return (Variable("peak_kw", "month", lower=so_far, cost_cny=price),)
    price = conditions.per_month("capacity_price_cny_per_kva_month")
    rated = np.full(months, values["transformer_kva"])
    return (Variable("billed_kva", "month", lower=rated, upper=rated, cost_cny=price, unit="kVA"),)


ASSET = Asset(
    id="grid_connection",
    title=Text("电网接入", "grid connection"),
    actions=("import_kw", "export_kw"),
    step=step,
    block=block,
    inputs=(
        Input("import_price_cny_per_kwh", "CNY/kWh", Text("购电电价", "price of import")),
        Input("export_price_cny_per_kwh", "CNY/kWh", Text("上网电价", "price of export")),
        Input("demand_price_cny_per_kw_month", "CNY/kW", Text("需量电价", "price of demand"), monthly=True, when=("demand_basis", "maximum")),
        Input("capacity_price_cny_per_kva_month", "CNY/kVA", Text("容量电价", "price of capacity"), monthly=True, when=("demand_basis", "capacity")),
        Input("peak_so_far_kw", "kW", Text("当月已发生的最大需量", "peak of the month so far"), default=0.0, monthly=True),
    ),
    reference="发改价格〔2023〕526号 (两部制电价, 需量与容量); GB 20052-2024 电力变压器能效限定值及能效等级; "
    "GB/T 13462-2008 电力变压器经济运行 (空载与负载损耗)",
    example=Example(
        text=Text("5 MVA 变压器, 功率因数 0.9, 欲购 6 MW", "5 MVA at a power factor of 0.9, 6 MW wished"),
        given={"transformer_kva": 5000.0, "power_factor_fraction": 0.9, "import_limit_kw": 10000.0, "export_limit_kw": 0.0},
        action={"import_kw": 6000.0, "export_kw": 100.0},
        expected={"import_kw": 4500.0, "export_kw": 0.0},
        citation="by hand: 5000 kVA · 0.9 = 4500 kW",
    ),
)  # fmt: skip
