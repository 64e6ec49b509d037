"""What if: scenarios of the twin beside the plant as it is, on the same random numbers, with the interval of every difference."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.twin.statistics import Interval, difference
from zerofactory.runs.context import Context
from zerofactory.runs.twin import Asked, Simulated, run
from zerofactory.runs.twin_file import read
from zerofactory.store.files import text_of


@dataclass(frozen=True, slots=True)
class Scenario:
    """A change of the twin: the file, its title, and what it changes (see `twin_file.changed_by`)."""

    id: str
    title: Text
    change: Mapping[str, Any]


@dataclass(frozen=True)
class Compared:
    """A scenario: what it comes to, and the differences to the plant as it is, by figure."""

    scenario: Scenario
    simulated: Simulated
    differences: Mapping[str, Interval]


@dataclass(frozen=True)
class Comparison:
    """The plant as it is, and every scenario beside it."""

    base: Simulated
    scenarios: tuple[Compared, ...]

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values; differences are scenario less base."""
        return {
            "base": self.base.as_json(),
            "scenarios": [
                {
                    "scenario": one.scenario.id,
                    "title": {"zh": one.scenario.title.zh, "en": one.scenario.title.en},
                    **one.simulated.as_json(),
                    "differences": {name: value.as_json() for name, value in one.differences.items()},
                }
                for one in self.scenarios
            ],
        }


def read_scenario(path: Path) -> Scenario:
    """Return a scenario file; raise `FaultyData` when it is no TOML, has no title or changes nothing."""
    try:
        raw = tomllib.loads(text_of(path.read_bytes(), path.name))
    except OSError as error:
        message = Text(f"读不到场景文件“{path.name}”。", f"The scenario file '{path.name}' cannot be read.")
        raise FaultyData([Problem("twin.scenario", message, Text("请核对路径。", "Check the path."), file=path.name)]) from error  # fmt: skip
    except tomllib.TOMLDecodeError as error:
        message = Text(f"不是有效的 TOML: {error}", f"This is not TOML: {error}")
        raise FaultyData([Problem("twin.scenario", message, Text("请改正语法。", "Mend the TOML."), file=path.name)]) from error  # fmt: skip
    title = raw.get("title")
    if not isinstance(title, dict) or set(title) != {"zh", "en"} or len(raw) < 2:
        message = Text(
            "场景缺少 title = { zh, en } 或没有任何变更。",
            "The scenario has no title = { zh, en }, or changes nothing.",
        )
        raise FaultyData([Problem("twin.scenario", message, Text("写法见 docs/how-to/twin.md。", "See docs/how-to/twin.md."), file=path.name)])  # fmt: skip
    return Scenario(path.stem, Text(str(title["zh"]), str(title["en"])), raw)


def compare(
    context: Context,
    asked: Asked,
    scenarios: Sequence[Scenario],
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Return every scenario beside the plant as it is; raise `FaultyData` for a faulty scenario before anything is run."""
    for one in scenarios:
        read(context, one.change)
    everything = asked.runs * (len(scenarios) + 1)
    done = 0

    def counted(_: int, __: int) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, everything)

    base = run(context, asked, counted)
    found = []
    for one in scenarios:
        simulated = run(context, asked, counted, one.change)
        found.append(Compared(one, simulated, _differences(simulated, base)))
    return Comparison(base, tuple(found))


def _differences(after: Simulated, before: Simulated) -> dict[str, Interval]:
    """Return the paired differences of output, energy, money and emissions."""
    found = {}
    for name, values in after.paired.items():
        other = before.paired.get(name)
        if other is not None:
            found[name] = difference(values, other, after.asked.confidence)
    return found
