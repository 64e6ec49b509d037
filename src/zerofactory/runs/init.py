"""Make a workspace: an empty plant to fill in, or the fictional reference plant with its readings and documents."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from zerofactory.errors import FaultyData, NotFound, Problem, Text
from zerofactory.reference_plant.generate import write as write_reference_plant
from zerofactory.runs.context import clock, stamp
from zerofactory.site.template import template
from zerofactory.store.database import can_be_made
from zerofactory.store.files import write_bytes_whole
from zerofactory.store.workspace import PLANT_FILE, Workspace, current_actor

EXAMPLES = ("car-plant",)


@dataclass(frozen=True, slots=True)
class Made:
    """The files of a new workspace and what to do next."""

    files: tuple[Path, ...]
    next_steps: tuple[Text, ...]


def run(folder: Path, example: str | None = None, begun_from: str | None = None) -> Made:
    """Make a workspace in a new or empty folder.

    Parameters
    ----------
    begun_from : str, optional
        A template: a plant to begin with (see ``zf list plant-templates``); left out: one file to fill in, explained line by line.

    Raises
    ------
    FaultyData
        The folder is not empty, or the database that is named cannot be reached.
    NotFound
        Unknown example or template.
    """
    content = _begun(begun_from)
    if example is not None and begun_from is not None:
        message = Text("示例与模板只能选一个。", "An example and a template exclude each other.")
        raise FaultyData([Problem("init.both", message, Text("请去掉一个。", "Leave one out."))])
    if example is not None and example not in EXAMPLES:
        raise NotFound(Text("示例", "example"), example, EXAMPLES)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FaultyData(
            [
                Problem(
                    code="init.not_empty",
                    message=Text(f"{folder} 不是空文件夹。", f"{folder} is not an empty folder."),
                    hint=Text("请给一个新的文件夹名。", "Name a new folder."),
                )
            ]
        )
    can_be_made()
    folder.mkdir(parents=True, exist_ok=True)
    if example is None:
        write_bytes_whole(folder / PLANT_FILE, content)
        made = [folder / PLANT_FILE]
    else:
        made = list(write_reference_plant(folder).files)
    Workspace.create(folder, at=stamp(clock()), actor=current_actor())
    return Made(tuple(made), _next_steps(folder, example))


def _begun(name: str | None) -> bytes:
    if name is not None:
        return template(name).content.encode()
    return (files("zerofactory.runs") / "new_plant.toml").read_bytes()


def _next_steps(folder: Path, example: str | None) -> tuple[Text, ...]:
    if example is None:
        return (
            Text(
                f"1. 填写 {folder}/{PLANT_FILE}, 然后 zf check -w {folder}",
                f"1. Fill in {folder}/{PLANT_FILE}, then zf check -w {folder}",
            ),
            Text(
                f"2. zf template --for activities --out 活动数据.xlsx -w {folder}",
                f"2. zf template --for activities --out activities.xlsx -w {folder}",
            ),
            Text(f"3. zf import 文件… -w {folder}", f"3. zf import FILE... -w {folder}"),
        )
    return (
        Text(f"1. zf check -w {folder}", f"1. zf check -w {folder}"),
        Text(f"2. zf import {folder}/inbox/*.* -w {folder}", f"2. zf import {folder}/inbox/*.* -w {folder}"),
        Text(f"3. zf close --period 2025 -w {folder}", f"3. zf close --period 2025 -w {folder}"),
    )
