"""Wind turbine: wind at the mast → wind at the hub → power by the curve, corrected for the density of the air.

    v_hub = v · (hub / mast)^α                                power law of the profile
    v_n   = v_hub · (ρ / ρ0)^(1/3),  ρ = p / (R · T)          normalised to ρ0 = 1.225 kg/m3 (IEC 61400-12-1:2017, 9.1.5)
    P     = (v_n³ − v_in³) / (v_rated³ − v_in³)               between cut-in and rated wind, 1 up to cut-out, else 0

``power_curve`` may give the maker's points instead, ``speed=fraction`` each: ``3=0 6=0.2 9=0.7 12=1``.
A series ``yield_kw_per_kw`` (measured, or another tool's) replaces the model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from zerofactory.assets.asset import Asset, At, Conditions, Example, Input, Stepped, Values, fault
from zerofactory.assets.block import AssetBlock, Emission, Flow, Variable
from zerofactory.assets.grid import Floats
from zerofactory.assets.size import capacity
from zerofactory.errors import Problem, Text

GAS_CONSTANT_DRY_AIR_J_PER_KG_K = 287.05
STANDARD_DENSITY_KG_PER_M3 = 1.225
STANDARD_PRESSURE_PA = 101_325.0
ZERO_CELSIUS_KELVIN = 273.15
_POINT = re.compile(r"^(\d+(?:\.\d+)?)=(\d+(?:\.\d+)?)$")


def hub_wind(values: Values, mast_m_per_s: Floats, ambient_celsius: Floats) -> Floats:
    """Return the wind at the hub, normalised to the standard density of the air.

    Examples
    --------
    >>> from zerofactory.assets.asset import asset, values_of
    >>> values, _ = values_of(asset("wind_turbine"), {"rated_kw": 1, "hub_m": 80, "mast_m": 10, "shear_exponent_fraction": 1 / 7})
    >>> [round(float(v), 3) for v in hub_wind(values, np.array([5.0]), np.array([15.0]))]
    [6.73]
    """
    wind = mast_m_per_s * (values["hub_m"] / values["mast_m"]) ** values["shear_exponent_fraction"]
    density = STANDARD_PRESSURE_PA / (GAS_CONSTANT_DRY_AIR_J_PER_KG_K * (ambient_celsius + ZERO_CELSIUS_KELVIN))
    return np.asarray(wind * np.cbrt(density / STANDARD_DENSITY_KG_PER_M3), dtype=np.float64)


def curve_fraction(values: Values, wind_m_per_s: Floats) -> Floats:
    """Return the share of the rated power at a wind."""
    if values.has("power_curve"):
        points = [_POINT.match(part) for part in values.text("power_curve").split()]
        speeds, shares = [float(m[1]) for m in points if m], [float(m[2]) for m in points if m]
        share = np.interp(wind_m_per_s, speeds, shares, left=0.0)
    else:
        first, rated = values["cut_in_m_per_s"] ** 3, values["rated_m_per_s"] ** 3
        share = np.clip((wind_m_per_s**3 - first) / (rated - first), 0.0, 1.0)
    return np.where(wind_m_per_s <= values["cut_out_m_per_s"], share, 0.0)


def profile(values: Values, conditions: Conditions) -> Mapping[str, Floats]:
    """Return the yield of each interval in kW per kW of rated power."""
    if "yield_kw_per_kw" in conditions.series:
        return {"yield_kw_per_kw": conditions.array("yield_kw_per_kw")}
    wind = hub_wind(values, conditions.array("wind_m_per_s"), conditions.array("ambient_celsius"))
    return {"yield_kw_per_kw": (1.0 - values["loss_fraction"]) * curve_fraction(values, wind)}


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what is taken of the yield; the rest is curtailed."""
    there = at.series["yield_kw_per_kw"] * values["rated_kw"]
    return Stepped(state, {"used_kw": min(max(action["used_kw"], 0.0), there)})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the turbine."""
    size = capacity(values, conditions, "rated", "kw")
    used, rows = size.ceiling(Variable("used_kw"), profile(values, conditions)["yield_kw_per_kw"])
    emission = Emission("used_kw", "on_site_renewable", "electricity")
    return AssetBlock(
        "wind_turbine",
        (*size.variables, used),
        rows,
        (Flow("electricity", "used_kw"),),
        sizes=size.sizes,
        emissions=(emission,),
    )


def _check(values: Values) -> list[Problem]:
    if values.has("power_curve"):
        points = [_POINT.match(part) for part in values.text("power_curve").split()]
        speeds = [float(m[1]) for m in points if m]
        sound = all(points) and len(speeds) > 1 and speeds == sorted(set(speeds))
        if sound and all(float(m[2]) <= 1.0 for m in points if m):
            return []
        message = Text("功率曲线无法识别。", "The power curve cannot be read.")
        hint = Text(
            "写法: 风速=份额, 风速递增, 份额 0–1, 如 3=0 12=1。", "Write speed=fraction, speeds rising: 3=0 12=1."
        )
        return [fault("wind_curve", message, hint, "power_curve")]
    if values["cut_in_m_per_s"] < values["rated_m_per_s"] < values["cut_out_m_per_s"]:
        return []
    message = Text("切入、额定、切出风速应由小到大。", "Cut-in, rated and cut-out wind should ascend.")
    return [fault("wind_speeds", message, Text("请改正三个风速。", "Mend the three speeds."), "rated_m_per_s")]


ASSET = Asset(
    id="wind_turbine",
    title=Text("风电机组", "wind turbine"),
    actions=("used_kw",),
    size="rated_kw",
    step=step,
    block=block,
    profile=profile,
    check=_check,
    inputs=(
        Input("yield_kw_per_kw", "1", Text("单位装机出力", "output per kW of rated power"), unless="wind_m_per_s"),
        Input("wind_m_per_s", "m/s", Text("测风高度的风速", "wind at the mast"), unless="yield_kw_per_kw"),
        Input("ambient_celsius", "°C", Text("气温", "air temperature"), unless="yield_kw_per_kw"),
    ),
    reference="Carrillo et al., Renew. Sustain. Energy Rev. 21 (2013) 572, doi 10.1016/j.rser.2013.01.012 (cubic power curve); "
    "IEC 61400-12-1:2017, 9.1.5 (density); GB/T 18710-2002 风电场风能资源评估方法 (幂律)",
    example=Example(
        text=Text("2 MW 机组, 单位出力 0.25", "2 MW at a yield of 0.25"),
        given={"rated_kw": 2000.0},
        action={"used_kw": 900.0},
        series={"yield_kw_per_kw": 0.25},
        expected={"used_kw": 500.0},
        citation="by hand: 2000 · 0.25",
    ),
)
