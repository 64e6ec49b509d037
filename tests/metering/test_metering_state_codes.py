"""Rows of files that tell states: each signal by its own words, units refused, words that no reading can be."""

from __future__ import annotations

import numpy as np
import polars as pl
from tests.conftest import NOW, SMALL_PLANT

from zerofactory.metering.mapping import MappedColumn, Mapping, TimeRule
from zerofactory.metering.reading_file import from_reading_file
from zerofactory.site.load import plant as load_plant
from zerofactory.site.model import Plant

SIGNAL = """
[[state_signals]]
id = "{0}"
name = {{ zh = "{0}", en = "{0}" }}
shop = "paint"
states = {{ 1 = "failed", 2 = "idle", 3 = "working" }}
words = {{ {1} }}
"""


def plant_with(*words: str) -> Plant:
    """Return a plant with signals S-0, S-1, … of these words."""
    made, problems = load_plant(SMALL_PLANT + "".join(SIGNAL.format(f"S-{n}", one) for n, one in enumerate(words)))
    assert made is not None, problems
    return made


def test_each_signal_reads_its_own_words_beside_numbers() -> None:
    rows = [("S-0", "RUN", 3), ("S-1", "RUN", 2), ("S-0", "2", 2), ("S-1", " STOP ", 1), ("S-0", "RUN", 3), ("S-1", "3.0", 3)]  # fmt: skip
    table = pl.DataFrame(
        {
            "meter": [one[0] for one in rows],
            "time": [f"2025-03-04 08:00:{second:02d}" for second in range(len(rows))],
            "value": [one[1] for one in rows],
        }
    )
    found, problems = from_reading_file(table, plant_with("RUN = 3", "RUN = 2, STOP = 1"), None, "s.csv", NOW)
    assert problems == []
    assert found.sort("started_at")["value"].to_list() == [one[2] for one in rows]


def test_faults_of_many_signals_name_each_code_once_at_its_first_row() -> None:
    size = 300
    plant = plant_with(*["RUN = 3"] * size)
    names = np.repeat([f"S-{n}" for n in range(size)], 3)
    table = pl.DataFrame(
        {
            "meter": names,
            "time": [f"2025-03-04 {8 + n // 3600:02d}:{n % 3600 // 60:02d}:{n % 60:02d}" for n in range(3 * size)],
            "value": ["RUN", "RUNS", "RUNS"] * size,
        }
    )
    _, problems = from_reading_file(table, plant, None, "s.csv", NOW)
    assert [(one.code, one.row) for one in problems] == [("metering.unknown_code", 3 * n + 3) for n in range(size)]
    assert "S-7" in problems[7].message.en
    assert "(2 rows)" in problems[7].message.en


def test_a_share_is_no_unit_of_codes() -> None:
    plant = plant_with("RUN = 3")
    long = pl.DataFrame({"meter": ["S-0"], "time": ["2025-03-04 08:00:01"], "value": ["RUN"], "unit": ["%"]})
    _, problems = from_reading_file(long, plant, None, "s.csv", NOW)
    assert [one.code for one in problems] == ["metering.wrong_unit"]
    rule = Mapping(TimeRule("when"), (MappedColumn("oven", "S-0", "%"),))
    wide = pl.DataFrame({"when": ["2025-03-04 08:00:01"], "oven": ["RUN"]})
    _, problems = from_reading_file(wide, plant, rule, "s.csv", NOW)
    assert [one.code for one in problems] == ["metering.wrong_unit"]


def test_words_that_no_reading_can_be_are_faults() -> None:
    nothing, problems = load_plant(SMALL_PLANT + SIGNAL.format("S-0", '" RUN" = 3, "" = 2, "NO PART" = 2'))
    assert nothing is None
    assert [one.code for one in problems] == ["site.bad_code"] * 2
    assert all("blanks" in one.message.en for one in problems)
