"""The form of utilities.toml: one table a kind of utility, each key with its bounds; unknown keys are refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Amount = Annotated[float, Field(ge=0.0, lt=1e9)]
Size = Annotated[float, Field(gt=0.0, lt=1e9)]
Degrees = Annotated[float, Field(ge=-60.0, le=1200.0)]
Coefficient = Annotated[float, Field(ge=-10.0, le=10.0)]
Ratio = Annotated[float, Field(gt=0.0, le=30.0)]


class _Strict(BaseModel):
    """A part of the file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NameEntry(_Strict):
    """A name in two languages."""

    zh: str
    en: str


class _Named(_Strict):
    """What every utility has: id, name, shop, and the meters that see it, by carrier."""

    id: str
    name: NameEntry
    shop: str | None = None
    meters: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)


class WindowEntry(_Strict):
    """See `optimisation.utilities.booth.Window`."""

    low_celsius: Degrees
    high_celsius: Degrees
    low_fraction: Share = 0.0
    high_fraction: Share = 1.0


class BoothEntry(_Named):
    """See `optimisation.utilities.booth.Booth`."""

    stations: tuple[str, ...] = Field(min_length=1)
    supply_m3_per_h: Size
    recirculated_fraction: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    window: WindowEntry
    rest: WindowEntry
    flow_fraction: Mapping[str, Share] = Field(default_factory=dict)
    fan_kw: Amount
    fan_heat_fraction: Share
    wheel_fraction: Share = 0.0
    steam: bool = False
    heat_from: str
    cool_from: str
    burner_fraction: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    pump_kw_per_kw: Share = 0.0


class OvenEntry(_Named):
    """See `optimisation.utilities.oven.Oven`."""

    stations: tuple[str, ...] = Field(min_length=1)
    set_celsius: Degrees
    standby_celsius: Degrees
    metal_celsius: Degrees
    body_in_celsius: Degrees
    heat_kwh_per_k: Size
    loss_kw_per_k: Size
    exhaust_nm3_per_h: Amount
    standby_exhaust_fraction: Share = 1.0
    body_kg: Amount
    skid_kg: Amount
    metal_kj_per_kg_k: Size
    burner_kw: Size
    burner_fraction: Annotated[float, Field(gt=0.0, le=1.0)]
    cold_below_k: Amount
    around_celsius: Degrees
    fan_kw: Amount = 0.0
    standby_fan_fraction: Share = 1.0
    fuel: Literal["gas", "electricity"] = "gas"


class OxidiserEntry(_Named):
    """See `optimisation.utilities.oven.Oxidiser`."""

    ovens: tuple[str, ...]
    set_celsius: Degrees
    recovery_fraction: Share
    burner_kw: Size
    loss_kw: Amount
    extra_nm3_per_h: Amount = 0.0
    voc_kwh_per_piece: Amount = 0.0
    fan_kw: Amount = 0.0
    standby_fan_fraction: Share = 1.0


class LeakEntry(_Strict):
    """Holes of one size: see `optimisation.utilities.compressed_air.Leak`."""

    number: Amount
    diameter_mm: Size
    discharge_fraction: Annotated[float, Field(gt=0.0, le=1.0)]


class NetworkEntry(_Strict):
    """See `optimisation.utilities.compressed_air.Network`; ``air_meter`` is that of the header, to fit the leaks to."""

    volume_m3: Size
    celsius: Degrees
    needed_kpa: Size
    leaks: tuple[LeakEntry, ...] = ()
    recovered_fraction: Share = 0.0
    heat_to: str | None = None
    air_meter: str | None = None


class CompressorEntry(_Named):
    """See `optimisation.utilities.compressed_air.Compressor`."""

    control: Literal["load", "variable"]
    flow_nm3_per_h: Size
    power_kw: Size
    load_kpa: Size
    unload_kpa: Size
    unloaded_fraction: Share = 0.0
    stop_after_s: Amount = 0.0
    curve: tuple[tuple[Share, Share], ...] = ()
    available: bool = True


class AirEntry(_Strict):
    """See `optimisation.utilities.plant.AirNeed`."""

    id: str
    stations: tuple[str, ...] = ()
    nm3_per_h: Mapping[str, Amount] = Field(default_factory=dict)
    nm3_per_piece: Amount = 0.0
    open_nm3_per_h: Amount = 0.0
    rest_nm3_per_h: Amount = 0.0


class HallEntry(_Named):
    """See `optimisation.utilities.hall.Hall`; ``heat_meter`` is that of its heating, to fit it to."""

    envelope_kw_per_k: Size
    heat_kwh_per_k: Size
    infiltration_m3_per_h: Amount = 0.0
    ventilation_m3_per_h: Amount = 0.0
    recovered_fraction: Share = 0.0
    sun_m2: Amount = 0.0
    gains_fraction: Share = 0.0
    gains_kw: Amount = 0.0
    rest_gains_kw: Amount = 0.0
    heat_celsius: Degrees | None = None
    rest_heat_celsius: Degrees | None = None
    cool_celsius: Degrees | None = None
    rest_cool_celsius: Degrees | None = None
    heat_kw: Amount = 0.0
    cool_kw: Amount = 0.0
    heat_from: str | None = None
    cool_from: str | None = None
    humid_fraction: Share = 1.0
    fan_kw: Amount = 0.0
    rest_fan_kw: Amount = 0.0
    cold_fan_kw_per_kw: Share = 0.0
    heat_meter: str | None = None


class LoopEntry(_Strict):
    """See `optimisation.utilities.loop.Loop`."""

    id: str
    name: NameEntry
    hot: bool
    supply_celsius: Degrees
    return_celsius: Degrees
    loss_kw: Amount = 0.0
    pump_kw_per_kw: Share = 0.0
    shared: bool = False


class LoadEntry(_Strict):
    """See `optimisation.utilities.loop.Load`."""

    id: str
    loop: str
    open_kw: Amount
    rest_kw: Amount
    open_kw_per_k: Amount = 0.0
    rest_kw_per_k: Amount = 0.0
    from_celsius: Degrees = 0.0


class ChillerEntry(_Named):
    """See `optimisation.utilities.source.Chiller`."""

    loop: str
    cooling_kw: Size
    rated_eer_fraction: Ratio
    rated_condenser_celsius: Degrees
    approach_k: Annotated[float, Field(ge=0.0, le=40.0)]
    least_condenser_celsius: Degrees
    eer_maximum_fraction: Ratio
    part_load: tuple[Coefficient, Coefficient, Coefficient] = (0.0, 1.0, 0.0)
    least_fraction: Share = 0.0
    tower_kw_per_kw: Share = 0.0
    air_cooled: bool = False
    available: bool = True


class HeaterEntry(_Named):
    """See `optimisation.utilities.source.Heater`."""

    loop: str
    kind: Literal["gas", "electric", "district", "heat_pump"]
    heat_kw: Size
    efficiency_fraction: Annotated[float, Field(gt=0.0, le=1.1)] = 1.0
    approach_k: Annotated[float, Field(ge=0.0, le=40.0)] = 0.0
    cop_maximum_fraction: Ratio = 1.0
    standing_kw: Amount = 0.0
    available: bool = True


class TankEntry(_Strict):
    """See `optimisation.utilities.tank.Tank`."""

    id: str
    name: NameEntry
    loop: str
    volume_m3: Size
    layers: Literal[1, 2]
    loss_kw_per_k: Amount
    exchange_kw_per_k: Amount = 0.0
    around_celsius: Degrees
    charge_kw: Size
    charge_hours: tuple[int, ...]


class WeatherEntry(_Strict):
    """A packaged typical year (``place``) or a CSV of the workspace with the columns of `twin_utilities.COLUMNS`."""

    place: str | None = None
    file: str | None = None
    altitude_m: Annotated[float, Field(ge=-500.0, le=6000.0)] = 0.0


class TakeOverEntry(_Strict):
    """A draw of a station in twin.toml that the utilities know better: it is left out of the station."""

    station: str
    carrier: str


class DownEntry(_Strict):
    """A chiller, a heater or a compressor that stands still: on day ``day`` of the days simulated (1 is the first) from ``at`` on for
    ``hours``."""

    utility: str
    day: int = Field(ge=1)
    at: time
    hours: float = Field(gt=0.0, lt=1e5)


class StopEntry(_Strict):
    """See `optimisation.utilities.stop.Stop`."""

    id: str
    stations: tuple[str, ...] = ()
    booth: str | None = None
    load: str | None = None
    air: str | None = None
    hall: str | None = None
    below_fraction: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    outside_k: Amount | None = None
    below_kpa: Size | None = None
    below_celsius: Degrees | None = None
    above_celsius: Degrees | None = None
    tolerated_minutes: Amount = 0.0
    restart_minutes: Amount = 0.0
    status: Literal["verified", "secondary", "placeholder"] = "placeholder"
    source: str = ""


class UtilitiesFile(_Strict):
    """The whole file. ``heat_cny_per_kwh`` is the price of heat that is bought; without it a plant that buys heat has no cost told."""

    status: Literal["verified", "secondary", "placeholder"] = "placeholder"
    source: str = ""
    gas_kwh_per_nm3: Size
    heat_cny_per_kwh: Amount | None = None
    weather: WeatherEntry
    takes_over: tuple[TakeOverEntry, ...] = ()
    booths: tuple[BoothEntry, ...] = ()
    ovens: tuple[OvenEntry, ...] = ()
    oxidisers: tuple[OxidiserEntry, ...] = ()
    network: NetworkEntry | None = None
    compressors: tuple[CompressorEntry, ...] = ()
    air: tuple[AirEntry, ...] = ()
    halls: tuple[HallEntry, ...] = ()
    loops: tuple[LoopEntry, ...] = ()
    loads: tuple[LoadEntry, ...] = ()
    chillers: tuple[ChillerEntry, ...] = ()
    heaters: tuple[HeaterEntry, ...] = ()
    tanks: tuple[TankEntry, ...] = ()
    down: tuple[DownEntry, ...] = ()
    stops: tuple[StopEntry, ...] = ()
    stops_turn_minutes: Amount = 0.0
