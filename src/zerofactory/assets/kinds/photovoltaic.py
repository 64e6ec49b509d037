"""Photovoltaic: from weather to alternating current, roof segment by roof segment, with pvlib.

    plane of array   sun position at the middle of the interval; direct + Hay-Davies sky + ground reflection
    glass            reflection of direct light by the angle of incidence (Fresnel and Snell, n = 1.526)
    cell             Faiman (2008): T = air + G / (u0 + u1 · wind)
    direct current   PVWatts: peak · G/1000 · (1 + γ · (T − 25))
    losses           one fraction (soiling, wiring, mismatch, availability)
    inverter         PVWatts, peak of the inverter = peak / ratio, efficiency nominal

``segments`` may name several planes of one roof, ``tilt@azimuth=share`` each: ``10@90=0.5 10@270=0.5`` is a roof that
looks east and west. A series ``yield_kw_per_kw`` (measured, or from a table) replaces the model.
What the plant does not take of the yield is curtailed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from zerofactory.assets.asset import Asset, At, Conditions, Example, Input, Stepped, Values, fault
from zerofactory.assets.block import AssetBlock, Emission, Flow, Variable
from zerofactory.assets.grid import Floats
from zerofactory.assets.size import capacity
from zerofactory.errors import Problem, Text

_SEGMENT = re.compile(r"^(\d+(?:\.\d+)?)@(\d+(?:\.\d+)?)=(\d+(?:\.\d+)?)$")
_WEATHER = {
    "ghi_w_per_m2": Text("水平总辐照", "global horizontal irradiance"),
    "dni_w_per_m2": Text("法向直射辐照", "direct normal irradiance"),
    "dhi_w_per_m2": Text("水平散射辐照", "diffuse horizontal irradiance"),
}
Segment = tuple[float, float, float]


def segments(values: Values) -> tuple[Segment, ...]:
    """Return (tilt, azimuth, share) of each plane; one plane where none are listed."""
    if not values.has("segments"):
        return ((values["tilt_degrees"], values["azimuth_degrees"], 1.0),)
    found = [_SEGMENT.match(part) for part in values.text("segments").split()]
    return tuple((float(m[1]), float(m[2]), float(m[3])) for m in found if m)


def profile(values: Values, conditions: Conditions) -> Mapping[str, Floats]:
    """Return the AC yield of each interval in kW per kW of peak power."""
    if "yield_kw_per_kw" in conditions.series:
        return {"yield_kw_per_kw": conditions.array("yield_kw_per_kw")}
    sun = _sun(values, conditions)
    planes = [share * _plane(values, conditions, sun, (tilt, azimuth)) for tilt, azimuth, share in segments(values)]
    return {"yield_kw_per_kw": np.sum(planes, axis=0)}


def _sun(values: Values, conditions: Conditions) -> dict[str, Any]:
    """Return apparent zenith and azimuth at the middle of each interval, and the radiation outside the atmosphere."""
    import pandas as pd
    from pvlib import irradiance, solarposition

    grid = conditions.grid
    middle = pd.to_datetime(grid.started_us + grid.step_minutes * 30_000_000, unit="us", utc=True)
    position = solarposition.get_solarposition(middle, values["latitude_degrees"], values["longitude_degrees"])
    return {
        "solar_zenith": position["apparent_zenith"].to_numpy(),
        "solar_azimuth": position["azimuth"].to_numpy(),
        "dni_extra": irradiance.get_extra_radiation(middle.day_of_year.to_numpy()),
    }


def _plane(values: Values, conditions: Conditions, sun: dict[str, Any], plane: tuple[float, float]) -> Floats:
    """Return the AC yield of one plane per kW of peak power."""
    from pvlib import iam, inverter, irradiance, pvsystem, temperature

    light = irradiance.get_total_irradiance(
        plane[0],
        plane[1],
        dni=conditions.array("dni_w_per_m2"),
        ghi=conditions.array("ghi_w_per_m2"),
        dhi=conditions.array("dhi_w_per_m2"),
        albedo=values["albedo_fraction"],
        model="haydavies",
        **sun,
    )
    incident = np.nan_to_num(np.asarray(light["poa_global"], dtype=np.float64))
    through = iam.physical(irradiance.aoi(*plane, sun["solar_zenith"], sun["solar_azimuth"]))
    absorbed = np.nan_to_num(np.asarray(light["poa_direct"] * through + light["poa_diffuse"], dtype=np.float64))
    wind, air = conditions.array("wind_m_per_s"), conditions.array("ambient_celsius")
    cell = temperature.faiman(
        incident, air, wind, values["heat_loss_u0_w_per_m2_k"], values["heat_loss_u1_w_s_per_m3_k"]
    )
    direct = pvsystem.pvwatts_dc(absorbed, cell, 1.0, values["temperature_coefficient_per_kelvin"])
    direct = np.maximum(direct, 0.0) * (1.0 - values["loss_fraction"])
    nominal = values["inverter_efficiency_fraction"]
    rated_dc = 1.0 / (values["inverter_ratio_fraction"] * nominal)
    return np.asarray(inverter.pvwatts(direct, rated_dc, eta_inv_nom=nominal), dtype=np.float64)


def step(values: Values, state: Mapping[str, float], action: Mapping[str, float], at: At) -> Stepped:
    """Return what is taken of the yield; the rest is curtailed."""
    there = at.series["yield_kw_per_kw"] * values["peak_kw"]
    return Stepped(state, {"used_kw": min(max(action["used_kw"], 0.0), there)})


def block(values: Values, conditions: Conditions) -> AssetBlock:
    """Return the linear part of the station."""
    size = capacity(values, conditions, "peak", "kw")
    used, rows = size.ceiling(Variable("used_kw"), profile(values, conditions)["yield_kw_per_kw"])
    return AssetBlock(
        "photovoltaic",
        (*size.variables, used),
        rows,
        (Flow("electricity", "used_kw"),),
        sizes=size.sizes,
        emissions=(Emission("used_kw", "on_site_renewable", "electricity"),),
    )


def _check(values: Values) -> list[Problem]:
    if not values.has("segments"):
        return []
    parts = values.text("segments").split()
    bad = [part for part in parts if not _SEGMENT.match(part)]
    share = sum(float(part.rpartition("=")[2]) for part in parts) if not bad else 1.0
    if not bad and abs(share - 1.0) < 1e-9:
        return []
    message = Text(
        f"屋顶分区无法识别: {', '.join(bad)}。" if bad else f"各分区份额之和为 {share:g}, 应为 1。",
        f"Segments cannot be read: {', '.join(bad)}." if bad else f"The shares sum to {share:g}, not 1.",
    )
    hint = Text(
        "写法: 倾角@方位角=份额, 如 10@90=0.5 10@270=0.5。", "Write tilt@azimuth=share, as 10@90=0.5 10@270=0.5."
    )
    return [fault("photovoltaic_segments", message, hint, "segments")]


ASSET = Asset(
    id="photovoltaic",
    title=Text("光伏", "photovoltaic"),
    actions=("used_kw",),
    size="peak_kw",
    step=step,
    block=block,
    profile=profile,
    check=_check,
    inputs=(
        Input("yield_kw_per_kw", "1", Text("单位装机出力", "output per kW of peak power"), unless="ghi_w_per_m2"),
        *(Input(name, "W/m2", title, unless="yield_kw_per_kw") for name, title in _WEATHER.items()),
        Input("ambient_celsius", "°C", Text("气温", "air temperature"), unless="yield_kw_per_kw"),
        Input("wind_m_per_s", "m/s", Text("风速", "wind speed"), unless="yield_kw_per_kw"),
    ),
    reference="pvlib (Anderson et al., JOSS 8 (2023) 5994, doi 10.21105/joss.05994); Dobos, PVWatts Version 5 Manual, "
    "NREL/TP-6A20-62641 (2014); Faiman, Prog. Photovolt. 16 (2008) 307, doi 10.1002/pip.813; Hay & Davies (1980)",
    example=Example(
        text=Text("3600 kW, 单位出力 0.6, 全部自用", "3600 kW at a yield of 0.6, all taken"),
        given={"peak_kw": 3600.0},
        action={"used_kw": 5000.0},
        series={"yield_kw_per_kw": 0.6},
        expected={"used_kw": 2160.0},
        citation="by hand: 3600 · 0.6",
    ),
)
