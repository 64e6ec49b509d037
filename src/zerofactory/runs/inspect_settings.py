"""The settings of inspection: those of the package, and what the workspace says otherwise in ``inspect.toml``."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.notation import text_of, toml_of
from zerofactory.runs.context import Context
from zerofactory.wording import problems_of

FILE = "inspect.toml"
GUIDE = Text("可写的键见 zf 文档 docs/how-to/inspect-line.md。", "The keys are in docs/how-to/inspect-line.md.")


class Settings(BaseModel):
    """What inspection keeps, sends and asks for; meaning and ground of each in ``inspect_policy.toml``."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    audit_fraction: float = Field(ge=0.0, le=1.0)
    opinion: Literal["after", "before", "never"]
    most_picture_bytes: int = Field(ge=10_000, le=200_000_000)
    most_folder_bytes: int = Field(ge=0)
    most_code_characters: int = Field(ge=8, le=1000)
    queue_candidates: int = Field(ge=1, le=10_000)
    queue_rows: int = Field(ge=100, le=10_000_000)
    drift_pictures: int = Field(ge=10, le=10_000)


def settings(context: Context) -> Settings:
    """Return the settings of a workspace; raise `FaultyData` with every fault of its ``inspect.toml``."""
    told = tomllib.loads(files("zerofactory.runs").joinpath("inspect_policy.toml").read_text(encoding="utf-8"))
    found = dict(told["inspection"])
    path = context.workspace.folder / FILE
    if path.is_file():
        own = toml_of(text_of(path.read_bytes(), FILE), FILE, "inspect.settings")
        strange = [name for name in own if name != "inspection"]
        if strange or not isinstance(own.get("inspection", {}), dict):
            raise FaultyData([_fault(f"[{name}]") for name in strange or ["inspection"]])
        found |= own.get("inspection", {})
    try:
        return Settings(**found)
    except ValidationError as error:
        raise FaultyData(problems_of(error, "inspect.settings", GUIDE, FILE)) from error


def _fault(said: str) -> Problem:
    return Problem("inspect.settings", Text(f"检验设置有误: {said}", f"The settings of inspection are faulty: {said}"), GUIDE, file=FILE)  # fmt: skip
