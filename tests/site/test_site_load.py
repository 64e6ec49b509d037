"""factory.toml: what is read, what is refused, and where a fault is said to be."""

from __future__ import annotations

from datetime import date, time

import pytest

from zerofactory.errors import Text
from zerofactory.site import load

GOOD = """\
[plant]
id = "demo"
name = { zh = "示范工厂", en = "Demo plant" }
time_zone = "Asia/Shanghai"
region = "CN-上海"
fictional = true

[organisation]
name = "示范"
consolidation = "equity_share"
equity_share_fraction = 0.6

[[boundary.exclusions]]
what = { zh = "宿舍", en = "dormitory" }
reason = { zh = "不受控", en = "not controlled" }

[accounting]
gwp_set = "AR5"
[[accounting.accept]]
factor = "x.y"
reason = "only one there is"
[[accounting.pin]]
role = "grid.average"
factor = "cn.grid"
reason = "asked for by the group"
[[accounting.pin]]
role = "grid.average"
factor = "cn.grid.other"
reason = "this source lies elsewhere"
source = "grid"

[calendar]
shifts = [{ name = "早班", start = 08:00:00, end = "16:30" }]
holidays = [2025-01-01]

[[shops]]
id = "paint"
kind = "paint"
name = "涂装"

[[lines]]
id = "line-1"
name = "一线"
shop = "paint"

[[meters]]
id = "main"
name = "总表"
carrier = "electricity"
kind = "register"
unit = "度"
multiplier = 4000
rollover = 100000
maximum = 50

[[meters]]
id = "oven"
name = "烘房"
carrier = "electricity"
kind = "gauge"
unit = "kW"
shop = "paint"
line = "line-1"
parent = "main"

[[meters]]
id = "rest"
name = "其余"
carrier = "electricity"
kind = "virtual"
unit = "kWh"
formula = "main - oven"

[[sources]]
id = "grid"
kind = "purchased_electricity"
name = "外购电力"
meters = ["main"]
split = ["oven"]
detail = { voltage_kv = 110, market = "CN" }
"""


def test_a_good_plant_is_read_whole() -> None:
    plant, problems = load.plant(GOOD)
    assert problems == []
    assert plant is not None
    assert plant.name == Text("示范工厂", "Demo plant")
    assert plant.shop("paint").name == Text("涂装", "涂装")
    assert plant.calendar.shifts[0].start == time(8)
    assert plant.calendar.holidays == (date(2025, 1, 1),)
    assert plant.meter("main").amount_unit == "kWh"
    assert plant.meter("oven").amount_unit == "kWh"
    assert dict(plant.source("grid").detail) == {"voltage_kv": 110.0, "market": "CN"}
    assert plant.accounting.gwp_set == "AR5"
    assert plant.accounting.accepted == {"x.y": "only one there is"}
    assert plant.accounting.pins_of("grid")["grid.average"][0] == "cn.grid.other"
    assert plant.accounting.pins_of("gas")["grid.average"][0] == "cn.grid"


def test_defaults_have_a_source_and_writing_them_changes_nothing() -> None:
    for entry in load.defaults().values():
        assert entry["source"]
        assert entry["status"] in ("verified", "secondary", "expert")
    plain, _ = load.plant(GOOD.replace('gwp_set = "AR5"', ""))
    written = "\n".join(f"{key} = {_toml(entry['value'])}" for key, entry in load.defaults().items())
    explicit, problems = load.plant(GOOD.replace('gwp_set = "AR5"', written))
    assert problems == []
    assert plain == explicit


def _toml(value: object) -> str:
    return str(list(value)) if isinstance(value, list | tuple) else repr(value)


@pytest.mark.parametrize(
    ("old", "new", "code", "column", "line"),
    [
        (
            'region = "CN-上海"',
            'region = "CN-上海"\ncolour = "red"',
            "site.unknown_key",
            "plant.colour",
            'colour = "red"',
        ),
        ("[calendar]", "[colours]\nred = 1\n[calendar]", "site.unknown_key", "colours", "[colours]"),
        ('id = "demo"\n', "", "site.missing_key", "plant.id", "[plant]"),
        ('kind = "gauge"', 'kind = "clock"', "site.not_a_choice", "meters[1].kind", 'kind = "clock"'),
        ("multiplier = 4000", 'multiplier = "4000"', "site.wrong_type", "meters[0].multiplier", 'multiplier = "4000"'),
        (
            "holidays = [2025-01-01]",
            'holidays = ["new year"]',
            "site.wrong_type",
            "calendar.holidays[0]",
            'holidays = ["new year"]',
        ),
        (
            'end = "16:30"',
            'end = "late"',
            "site.wrong_type",
            "calendar.shifts[0].end",
            'shifts = [{ name = "早班", start = 08:00:00, end = "late" }]',
        ),
        ("Asia/Shanghai", "Asia/Nowhere", "periods.unknown_time_zone", "plant.time_zone", 'time_zone = "Asia/Nowhere"'),
        ('unit = "度"', 'unit = "bogus"', "site.unknown_unit", "meters[0].unit", 'unit = "bogus"'),
        ('unit = "kW"', 'unit = "kWh"', "site.unknown_unit", "meters[1].unit", 'unit = "kWh"'),
        ('parent = "main"', 'parent = "mian"', "site.unknown_meter", "meters[1].parent", 'parent = "mian"'),
        (
            'meters = ["main"]',
            'meters = ["main", "main"]',
            "site.counted_twice",
            "sources[0].meters",
            'meters = ["main", "main"]',
        ),
        (
            'meters = ["main"]',
            'meters = ["main", "oven"]',
            "site.counted_twice",
            "sources[0].meters",
            'meters = ["main", "oven"]',
        ),
        ('meters = ["main"]', 'meters = ["mian"]', "site.unknown_meter", "sources[0].meters", 'meters = ["mian"]'),
        ('shop = "paint"\nline', 'shop = "pain"\nline', "site.unknown_shop", "meters[1].shop", 'shop = "pain"'),
        ('line = "line-1"', 'line = "line-2"', "site.unknown_line", "meters[1].line", 'line = "line-2"'),
        ('id = "oven"', 'id = "main"', "site.repeated_id", "meters[1].id", 'id = "main"'),
        ('id = "line-1"', 'id = "line 1"', "site.bad_id", "lines[0].id", 'id = "line 1"'),
        ("maximum = 50", "", "site.rollover_needs_maximum", "meters[0].maximum", "[[meters]]"),
        ("rollover = 100000", "rollover = -1", "site.bad_rollover", "meters[0].rollover", "rollover = -1"),
        ("multiplier = 4000", "multiplier = 0", "site.out_of_range", "meters[0].multiplier", "multiplier = 0"),
        (
            'end = "16:30" }',
            'end = "16:30", weekdays = [5, 7] }',
            "site.out_of_range",
            "calendar.shifts[0].weekdays",
            'shifts = [{ name = "早班", start = 08:00:00, end = "16:30", weekdays = [5, 7] }]',
        ),
        ('formula = "main - oven"', "", "site.formula_and_kind", "meters[2].formula", "[[meters]]"),
        ('"main - oven"', '"main - ofen"', "site.bad_formula", "meters[2].formula", 'formula = "main - ofen"'),
        ('"main - oven"', '"main - rest"', "site.circle", "meters[2].formula", 'formula = "main - rest"'),
        (
            "equity_share_fraction = 0.6",
            "equity_share_fraction = 1.6",
            "site.out_of_range",
            "organisation.equity_share_fraction",
            "equity_share_fraction = 1.6",
        ),
        ('source = "grid"', 'source = "gird"', "site.unknown_source", "accounting.pin[1].source", 'source = "gird"'),
        (
            'reason = "only one there is"',
            'reason = " "',
            "site.no_reason",
            "accounting.accept[0].reason",
            'reason = " "',
        ),
        ('meters = ["main"]\n', "", "site.split_without_meters", "sources[0].split", 'split = ["oven"]'),
        ('split = ["oven"]\n', "", "site.no_shop", "sources[0].shop", "[[sources]]"),
        (
            'unit = "kW"',
            'unit = "kW"\ninterval_minutes = 7',
            "site.bad_interval",
            "meters[1].interval_minutes",
            "interval_minutes = 7",
        ),
        ('unit = "kW"', 'unit = "m3/h"', "site.units_differ", "meters[1].parent", 'parent = "main"'),
        (
            'unit = "kWh"\nformula',
            'unit = "MWh"\nformula',
            "site.units_differ",
            "meters[2].formula",
            'formula = "main - oven"',
        ),
    ],
)
def test_each_fault_is_told_with_its_place(old: str, new: str, code: str, column: str, line: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    plant, problems = load.plant(text)
    assert plant is None
    told = {(problem.code, problem.column): problem for problem in problems}
    assert (code, column) in told, told
    problem = told[code, column]
    assert problem.row is not None
    assert text.splitlines()[problem.row - 1] == line
    assert problem.file == "factory.toml"
    assert problem.message.zh
    assert problem.message.en
    assert problem.message.zh != problem.message.en


def test_all_faults_come_together() -> None:
    text = (
        GOOD.replace('kind = "gauge"', 'kind = "clock"')
        .replace("Demo plant", "Demo")
        .replace("[calendar]", "[x]\n[calendar]")
    )
    _, problems = load.plant(text.replace('id = "paint"\n', ""))
    assert {problem.code for problem in problems} == {"site.not_a_choice", "site.unknown_key", "site.missing_key"}


def test_broken_toml_names_its_line() -> None:
    plant, problems = load.plant("[plant]\nid = \n")
    assert plant is None
    assert [(problem.code, problem.row) for problem in problems] == [("site.not_toml", 2)]


def test_parents_must_not_form_a_circle() -> None:
    text = GOOD.replace('unit = "度"', 'unit = "度"\nparent = "oven"')
    _, problems = load.plant(text)
    assert "site.circle" in {problem.code for problem in problems}
