"""The form of the files a plant may bring for its tariffs: keys, types and columns, every fault named with its place."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory.assets.tariff import BANDS, PARTS
from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import toml_of
from zerofactory.wording import reason

COLUMNS = ("month", "scheme", "voltage", "hours", "flat_cny_per_kwh")
OPTIONAL_COLUMNS = (
    *(f"{band}_cny_per_kwh" for band in BANDS if band != "flat"),
    *(f"{part}_cny_per_kwh" for part in PARTS),
    "base_cny_per_kwh",
    "demand_charge_cny_per_kw_month",
    "capacity_charge_cny_per_kva_month",
    "status",
)
Band = Literal["sharp_peak", "peak", "flat", "valley", "deep_valley"]
Status = Literal["verified", "secondary", "placeholder"]
Month = Annotated[int, Field(ge=1, le=12)]


class TitleForm(BaseModel):
    """A title in both languages."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    zh: str
    en: str


class SeasonForm(BaseModel):
    """Months with one timetable, for all schemes or some."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    months: list[Month]
    hours: str
    ratios: dict[Band, float] = Field(default_factory=dict)
    schemes: list[str] | None = None
    status: Status = "placeholder"


class HotDaysForm(BaseModel):
    """Hours that change on hot days."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    celsius: float
    days: int = Field(ge=1)
    hours: str
    months: list[Month] = Field(default_factory=list)


class SpecialDaysForm(BaseModel):
    """Dates with hours of their own."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    dates: list[date]
    hours: str


class RulesForm(BaseModel):
    """The rules of an area: ``<area>.toml``."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    title: TitleForm
    time_zone: str
    source: str
    policy: str = ""
    licence: str = ""
    status: Status = "placeholder"
    export_cny_per_kwh: float | None = None
    seasons: list[SeasonForm] = Field(default_factory=list)
    hot_days: list[HotDaysForm] = Field(default_factory=list)
    special_days: list[SpecialDaysForm] = Field(default_factory=list)


class StepForm(BaseModel):
    """One step of a gas price, per m3 or per Nm3."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    from_m3: float | None = None
    price_cny_per_m3: float | None = None
    from_nm3: float | None = None
    price_cny_per_nm3: float | None = None


class GasForm(BaseModel):
    """A gas price: ``<name>.toml``."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    title: TitleForm
    unit: Literal["m3", "Nm3"]
    basis: Literal["month"] = "month"
    status: Status = "placeholder"
    source: str
    steps: list[StepForm]


_Form = TypeVar("_Form", RulesForm, GasForm)


def read_form(form: type[_Form], text: str, file: str) -> tuple[_Form | None, list[Problem]]:
    """Return a TOML text in its form, and every fault: unreadable, missing, unknown or wrong keys."""
    try:
        return form.model_validate(toml_of(text, file, "assets.tariff_not_toml")), []
    except FaultyData as fault:
        return None, list(fault.problems)
    except ValidationError as error:
        return None, [_told(dict(one)).at(file=file) for one in error.errors(include_url=False)]


def _told(error: dict[str, Any]) -> Problem:
    path = ".".join(str(part) for part in error["loc"])
    kind = error["type"]
    if kind == "missing":
        message = Text(f"缺少“{path}”。", f"'{path}' is missing.")
    elif kind == "extra_forbidden":
        message = Text(f"不认识的键“{path}”。", f"Unknown key '{path}'.")
    else:
        why = reason(error)
        message = Text(f"“{path}” = {error['input']!r}: {why.zh}。", f"'{path}' = {error['input']!r}: {why.en}.")
    return Problem(
        "assets.tariff_form",
        message,
        Text("格式见随包电价与操作指南。", "See the packaged tariffs and the how-to."),
        column=path,
    )


def column_problems(given: tuple[str, ...], file: str) -> list[Problem]:
    """Return the faults of the header of a table of prices."""
    lacking = [name for name in COLUMNS if name not in given]
    unknown = [name for name in given if name not in (*COLUMNS, *OPTIONAL_COLUMNS)]
    problems = [(Text(f"缺少列“{name}”。", f"Column '{name}' is missing."), name) for name in lacking]
    problems += [(Text(f"不认识列“{name}”。", f"Column '{name}' is unknown."), name) for name in unknown]
    hint = Text(f"必有: {', '.join(COLUMNS)}。", f"Required: {', '.join(COLUMNS)}.")
    return [Problem("assets.tariff_columns", message, hint, file, 1, name) for message, name in problems]
