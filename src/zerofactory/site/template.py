"""Plants to begin with: one file a template in ``templates/``; without its ``[template]`` table it is a plant file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

from zerofactory.errors import NotFound, Text
from zerofactory.site.edit import with_table

_TEMPLATE = re.compile(r"^\[template\]\n(?:[^\[\n].*\n)*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Template:
    """A plant to begin with: its titles, what is in it, and the plant file."""

    id: str
    title: Text
    text: Text
    order: int
    content: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What a new plant is asked first; the rest is the template's and may be changed later."""

    id: str
    name: str | Mapping[str, str]
    organisation: str | Mapping[str, str]
    region: str
    time_zone: str = "Asia/Shanghai"
    opened_on: date | None = None


@lru_cache(maxsize=1)
def templates() -> Mapping[str, Template]:
    """Return every template by id, in the order in which they are offered."""
    folder = files("zerofactory.site") / "templates"
    found = [_read(entry.name.removesuffix(".toml"), entry.read_text(encoding="utf-8")) for entry in folder.iterdir() if entry.name.endswith(".toml")]  # fmt: skip
    return {one.id: one for one in sorted(found, key=lambda one: (one.order, one.id))}


def template(name: str) -> Template:
    """Return one template; raise `NotFound` with the choices."""
    found = templates().get(name)
    if found is None:
        raise NotFound(Text("模板", "template"), name, tuple(templates()))
    return found


def filled(chosen: Template, answers: Answers) -> str:
    """Return the plant file of a template with the first answers written in.

    Examples
    --------
    >>> text = filled(template("empty"), Answers("jh", "江淮一厂", "江淮集团", "CN-安徽"))
    >>> tomllib.loads(text)["plant"]["region"], "template" in tomllib.loads(text)
    ('CN-安徽', False)
    """
    given = tomllib.loads(chosen.content)
    head = {"id": answers.id, "name": answers.name, "time_zone": answers.time_zone, "region": answers.region}
    if answers.opened_on is not None:
        head["opened_on"] = answers.opened_on  # type: ignore[assignment]
    text = with_table(chosen.content, "plant", {**given["plant"], **head})
    return with_table(text, "organisation", {**given["organisation"], "name": answers.organisation})


def _read(name: str, text: str) -> Template:
    about: dict[str, Any] = tomllib.loads(text)["template"]
    title = Text(**about["title"])
    begun = f"# 工厂文件, 由模板“{title.zh}”开始。The plant file, begun from the template '{title.en}'.\n\n"
    return Template(name, title, Text(**about["text"]), about["order"], begun + _TEMPLATE.sub("", text, count=1))
