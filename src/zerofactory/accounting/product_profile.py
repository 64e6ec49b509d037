"""Product profile (产品档案): what the plant states of a product in `products/<id>.toml`. Unknown keys are refused.

time_quota_min       minutes of work per unit in each shop (工时定额)
mass_kg, …           what a declaration has to state of the product itself
[use]                how it is used: distance, fuel, electricity
[[end_of_life]]      where its mass goes: item of a waste factor, kilograms
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import toml_of
from zerofactory.wording import reason

NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Use(_Form):
    """The use of one unit over its life."""

    distance_km: NotNegative
    fuel: str = ""
    fuel_l_per_100km: NotNegative = 0.0
    electricity_kwh_per_100km: NotNegative = 0.0
    charging_loss_fraction: Fraction = 0.0
    source: str


class Route(_Form):
    """Where a part of the product's mass goes at the end of its life, and the fossil carbon that is burnt there."""

    item: str
    mass_kg: NotNegative
    fossil_carbon_burnt_kg: NotNegative = 0.0


class Profile(_Form):
    """What a plant states of one product."""

    product: str
    description: str
    mass_kg: NotNegative
    fossil_carbon_kg: NotNegative
    biogenic_carbon_kg: NotNegative = 0.0
    product_ids: tuple[str, ...] = ()
    company_ids: tuple[str, ...] = ()
    classifications: tuple[str, ...] = ()
    time_quota_min: dict[str, NotNegative]
    use: Use | None = None
    end_of_life: tuple[Route, ...] = ()


def read_profile(text: str, product: str, file: str) -> tuple[Profile | None, list[Problem]]:
    """Return the profile a TOML text describes, or None, and every fault with its key path."""
    try:
        profile = Profile.model_validate(toml_of(text, file, "product.not_toml"))
    except FaultyData as fault:
        return None, list(fault.problems)
    except ValidationError as error:
        return None, [_translated(dict(entry), file) for entry in error.errors(include_url=False)]
    problems = []
    if profile.product != product:
        said = Text(
            f"product = “{profile.product}”与文件名不符。",
            f"product = '{profile.product}' differs from the file's name.",
        )
        problems.append(_fault("other_product", said, file, "product"))
    if not any(profile.time_quota_min.values()):
        said = Text("所有车间的工时定额都是 0。", "The time quotas of all shops are 0.")
        problems.append(_fault("no_quota", said, file, "time_quota_min"))
    if profile.use is not None and bool(profile.use.fuel) != bool(profile.use.fuel_l_per_100km):
        said = Text("fuel 与 fuel_l_per_100km 要同时填写。", "fuel and fuel_l_per_100km go together.")
        problems.append(_fault("fuel", said, file, "use.fuel"))
    routed = sum(route.mass_kg for route in profile.end_of_life)
    if profile.end_of_life and abs(routed - profile.mass_kg) > 0.01 * profile.mass_kg:
        said = Text(
            f"报废去向合计 {routed:g} kg, 产品质量 {profile.mass_kg:g} kg。",
            f"The routes at the end of life add up to {routed:g} kg, the product weighs {profile.mass_kg:g} kg.",
        )
        problems.append(_fault("routes", said, file, "end_of_life"))
    return (None if problems else profile), problems


def _translated(entry: dict[str, Any], file: str) -> Problem:
    path = ".".join(str(part) for part in entry["loc"])
    if entry["type"] == "extra_forbidden":
        return _fault("unknown_key", Text(f"不认识的键“{path}”。", f"Unknown key '{path}'."), file, path)
    if entry["type"] == "missing":
        return _fault("missing_key", Text(f"缺少“{path}”。", f"'{path}' is missing."), file, path)
    if entry["type"] in ("greater_than_equal", "less_than"):
        return _fault(
            "range", Text(f"“{path}”不能为 {entry['input']}。", f"'{path}' cannot be {entry['input']}."), file, path
        )
    why = reason(entry)
    return _fault("wrong_type", Text(f"“{path}”不合要求: {why.zh}。", f"'{path}' is not valid: {why.en}."), file, path)


def _fault(code: str, message: Text, file: str, path: str) -> Problem:
    return Problem(
        f"product.{code}",
        message,
        Text("请改正产品档案。", "Mend the product's profile."),
        file=file,
        column=path or None,
    )
