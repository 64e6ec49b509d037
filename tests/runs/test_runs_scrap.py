"""From defect to tonnes on a plant whose figures add up by hand, and on the reference plant's files."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tests.runs.quality_plant import QUALITY, SOURCES, figure, furnish, verdicts

import zerofactory.reference_plant
from zerofactory.errors import FaultyData, NotFound, Problem
from zerofactory.metering.inspected import DEFECTS
from zerofactory.periods import Period
from zerofactory.reference_plant.series import plant_text
from zerofactory.runs import (
    close,
    import_data,
    inspect_book,
    inventory,
    material_mix,
    scrap,
    scrap_charge,
    scrap_files,
    scrap_recover,
    scrap_threshold,
    scrap_twin,
    scrap_value,
    twin,
    verify,
)
from zerofactory.runs.context import Context, stamp
from zerofactory.runs.emitted import Item, World
from zerofactory.runs.scrap_file import read
from zerofactory.store.workspace import Workspace

MARCH = Period.parse("2025-03")
PACKAGED = Path(zerofactory.reference_plant.__file__).parent


@pytest.fixture
def losing(small: Context, reopen: Callable[[Context], Context]) -> tuple[Context, scrap.Asked]:
    table = furnish(small.workspace.folder)
    return reopen(small), scrap.Asked(MARCH, table)


@pytest.fixture
def reference(tmp_path: Path, small: Context) -> Context:
    """Return an empty book of the reference plant."""
    folder = tmp_path / "reference"
    folder.mkdir()
    (folder / "factory.toml").write_text(plant_text(), encoding="utf-8")
    Workspace.create(folder, at=stamp(small.now), actor="test")
    return Context(Workspace.open(folder), small.now, "test")


def problems_of(work: Callable[[], object]) -> tuple[Problem, ...]:
    with pytest.raises(FaultyData) as caught:
        work()
    for one in caught.value.problems:
        assert one.message.zh
        assert one.message.en
        assert one.hint.zh
    return caught.value.problems


def grams(context: Context, kind: str, item: str, unit: str) -> float:
    asked = Item(kind, item, unit, "{}", "paint")
    return World(context.workspace.plant, context.workspace.factor_book, 2025).per_unit([asked])[asked].total_gco2e


def test_the_account_by_hand(losing: tuple[Context, scrap.Asked]) -> None:
    """Ten scrapped pieces of 10 kg, two of them sprayed; twenty sanded for twelve minutes."""
    context, asked = losing
    found = scrap.run(context, asked)
    total = found.total
    assert (total.scrapped, total.reworked) == (10, 20)
    assert total.loss.put_in_kg == {"sheet": pytest.approx(100.0)}
    assert total.loss.recovered_kg["sheet"] == pytest.approx(90.0)
    assert total.loss.lost_kg["sheet"] == pytest.approx(10.0)
    assert total.electricity_kwh.value == pytest.approx(10 * 2 + 2 * 1 + 20 * 1)
    assert total.natural_gas_nm3.value == pytest.approx(1.0)
    assert total.cny.value == pytest.approx(100 * 5 - 100 * 2 + 42 * 0.5 + 1 * 4 + 20 * 12)
    kwh, gas = (
        grams(context, "purchased_electricity", "electricity", "kWh"),
        grams(context, "stationary_combustion", "natural_gas", "Nm3"),
    )
    assert total.kgco2e.value == pytest.approx((100 * 3110 + 42 * kwh + gas) / 1000)
    assert total.worth.avoided_gco2e == 0.0
    assert {one.key: (one.scrapped, one.reworked) for one in found.by["defect"]} == {
        "split": (8, 0),
        "sag": (2, 0),
        "dirt": (0, 20),
    }
    assert {one.key for one in found.by["cause"]} == {"die", "paint", "unknown"}
    assert found.warnings == ()
    assert found.rates[0].basis == "inspected"
    assert (found.rates[0].scrap.hits, found.rates[0].scrap.of) == (10, 1000)


def test_groups_add_up_to_the_total(losing: tuple[Context, scrap.Asked]) -> None:
    found = scrap.run(*losing)
    for rows in found.by.values():
        for name in scrap.FIGURES:
            assert sum(getattr(one, name).value for one in rows) == pytest.approx(getattr(found.total, name).value)
        assert all(one.pieces.low < one.pieces.value < one.pieces.high for one in rows)
    told = found.total.as_json()["material_kg"]
    for kg in told.values():  # type: ignore[attr-defined]
        assert kg["put_in"] == pytest.approx(kg["kept"] + kg["recovered"] + kg["lost"])


def test_what_no_document_holds_is_booked_once_and_verified(
    small: Context, reopen: Callable[[Context], Context], write_readings: Callable[..., Path], tmp_path: Path
) -> None:
    """Metal that is bought by the bill of good vehicles: the form is imported, the month closed, the inventory shows what was told."""
    quality = QUALITY.replace('item = "steel_galvanised"', 'booked = { purchase = "replaced-sheet", purchase_counts = "bill", scrap = "sheet-scrap" }')  # fmt: skip
    asked = scrap.Asked(MARCH, furnish(small.workspace.folder, SOURCES, quality))
    book = reopen(small)
    found = scrap.run(book, asked)
    assert {(one.source, one.state) for one in found.reconciled.lines} == {
        ("replaced-sheet", "to_book"),
        ("sheet-scrap", "to_book"),
    }
    assert found.reconciled.gco2e == pytest.approx(100 * 3110, abs=1)
    files = scrap_files.write(book, found, tmp_path / "out")
    form = next(one for one in files if one.name == scrap_files.FORM)
    assert import_data.run(book, [write_readings(3), form])[1].status == "imported"
    again = scrap.run(reopen(book), asked)
    assert {one.state for one in again.reconciled.lines} == {"ours"}
    assert again.reconciled.to_book == ()
    assert all(one.difference_kg == pytest.approx(0.0, abs=1e-3) for one in again.reconciled.lines)
    book = reopen(book)
    close.run(book, MARCH)
    book = reopen(book)
    shown = inventory.read(book, MARCH, "ghg_protocol_corporate", scope="3")
    assert next(one.emissions_gco2e for one in shown.lines if one.key == "s3.01") == found.reconciled.gco2e
    verify.run(book)
    rows = list(csv.DictReader(io.StringIO(scrap_files.pareto(found))))
    assert sum(float(row["kgco2e"]) for row in rows if row["by"] == "shop") == pytest.approx(
        found.total.kgco2e.value, rel=1e-5
    )


def test_a_weighbridge_document_is_compared_and_never_booked_twice(
    small: Context, reopen: Callable[[Context], Context], write_form: Callable[..., Path]
) -> None:
    quality = QUALITY.replace(
        'item = "steel_galvanised"', 'booked = { purchase = "replaced-sheet", scrap = "sheet-scrap" }'
    )
    asked = scrap.Asked(MARCH, furnish(small.workspace.folder, SOURCES, quality))
    book = reopen(small)
    import_data.run(book, [write_form("sheet-scrap,2025-03-01,2025-03-31,0.25,t,,结算,GB-2503,")])
    found = scrap.run(reopen(book), asked)
    lines = {one.source: one for one in found.reconciled.lines}
    assert lines["replaced-sheet"].state == "held"
    assert lines["sheet-scrap"].state == "booked"
    assert lines["sheet-scrap"].difference_kg == pytest.approx(150.0)
    assert not lines["sheet-scrap"].contradicts
    assert found.reconciled.to_book == ()
    assert found.reconciled.gco2e == 0
    import_data.run(
        reopen(book), [write_form("sheet-scrap,2025-04-01,2025-04-30,0.02,t,,结算,GB-2504,", name="april.csv")]
    )
    april = scrap.run(reopen(book), replace(asked, period=Period.parse("2025-04")))
    assert [one.contradicts for one in april.reconciled.lines if one.source == "sheet-scrap"] == [True]


def test_rows_of_the_book_are_counted_as_they_stand(losing: tuple[Context, scrap.Asked]) -> None:
    context, _ = losing

    def row(name: str, disposition: str, corrects: str | None = None, **more: object) -> dict[str, object]:
        return {
            "defect_id": name, "corrects": corrects, "inspected_at": datetime(2025, 3, 31, 16, 30, tzinfo=UTC), "part_code": name, "product": "panel",
            "shop": "paint", "station": "press", "defect": "ok" if disposition == "accept" else "split", "disposition": disposition,
            "decided_by": "model", "quantity": 1, "audit": False, "actor": "test", **more,
        }  # fmt: skip

    early = datetime(2025, 3, 10, tzinfo=UTC)
    rows = [row("a", "recheck", inspected_at=early), row("b", "scrap", "a", inspected_at=early), row("c", "recheck", inspected_at=early), row("d", "scrap"), row("e", "scrap", inspected_at=early, product="roof", station=None)]  # fmt: skip
    assert DEFECTS.check(DEFECTS.frame(rows)) == []
    inspect_book.append(context, rows, {})
    found = scrap.run(context, scrap.Asked(MARCH))
    assert found.source == "book"
    assert (
        found.total.scrapped == 1
    )  # b stands for a; c waits; d was in April on the plant's clock; e is of no known part
    assert {one.code for one in found.warnings} == {"scrap.part", "scrap.waiting", "scrap.no_output"}
    assert scrap.months(context) == ["2025-04", "2025-03"]


def test_the_threshold_is_found_from_parts_of_the_book(losing: tuple[Context, scrap.Asked]) -> None:
    """Of the passed parts only those drawn at random count, each for the others; the unsure ones an inspector looked at do not."""
    context, _ = losing
    inspect_book.append(context, verdicts(), {})
    seen = scrap_threshold.scores_of_book(context, scrap_threshold.Judged("panel", model="eye"))
    # 51 passed, ten of them audited; twelve rejected, eight of them looked at
    assert sorted(set(seen.good_weight)) == [pytest.approx(12 / 8), pytest.approx(51 / 10)]
    assert len(seen.bad) == 7
    assert seen.defective_fraction == pytest.approx((5.1 + 6 * 1.5) / (51 + 12))
    assert [
        one.code
        for one in problems_of(lambda: scrap_threshold.scores_of_book(context, scrap_threshold.Judged("panel")))
    ] == ["scrap.no_scores"]
    assert scrap_threshold.models(context, read(context)) == {"eye": "panel"}
    found = scrap_threshold.run(context, scrap.Asked(MARCH), scrap_threshold.Judged("panel", model="eye"))
    assert found.defective_from == "audit"
    assert found.present["cny"].threshold == 0.5
    assert found.best["cny"].cost <= found.present["cny"].cost
    nobody = scrap_threshold.Judged("panel", model="nose")
    assert [one.code for one in problems_of(lambda: scrap_threshold.scores_of_book(context, nobody))] == [
        "scrap.one_class"
    ]


def test_every_fault_of_a_table_comes_at_once_with_its_place(losing: tuple[Context, scrap.Asked]) -> None:
    context, asked = losing
    assert asked.file is not None
    lines = asked.file.read_text(encoding="utf-8").splitlines()
    lines[1] = "2025-13-03,paint,press,panel,split,die,报废,8"
    lines[2] = "2025-03-05,yard,oven,panel,sag,paint,报废,2.5"
    lines[3] = "2025-03-08,paint,booth,door,,,扔掉,0"
    asked.file.write_text("\n".join(lines), encoding="utf-8")
    found = problems_of(lambda: scrap.run(context, asked))
    assert {(one.row, one.code) for one in found} == {
        (2, "scrap.date"), (3, "scrap.shop"), (3, "scrap.station"), (3, "scrap.count"), (4, "scrap.part"), (4, "scrap.disposition"), (4, "scrap.count"), (4, "scrap.defect"),
    }  # fmt: skip
    assert {one.file for one in found} == {"defects.csv"}
    asked.file.write_text("日期,零件,缺陷,数\n2025-03-01,panel,split,3\n", encoding="utf-8")
    found = problems_of(lambda: scrap.run(context, asked))
    assert {(one.code, one.column) for one in found} == {
        ("scrap.column", "数"),
        ("scrap.missing_column", "disposition"),
        ("scrap.missing_column", "count"),
    }


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ('unit = "CNY/h"', 'unit = "CNY/min"', ("scrap_file.unit", "prices.labour")),
        ("value = 0.6, unit", "value = 1.6, unit", ("scrap_file.share", "parts[panel].steps[press].added[sheet].share_kept")),
        ("low = 50, high = 80", "low = 70, high = 80", ("scrap_file.bounds", "prices.labour")),
        ("per_vehicle = 2", "per_car = 2", ("scrap_file.extra_forbidden", "parts.panel.per_car")),
        ('material = "sheet"', 'material = "tin"', ("scrap_file.name", "parts[panel].steps[press].added")),
        ('shop = "paint"\nminutes', 'shop = "yard"\nminutes', ("scrap_file.name", "reworks[sand].shop")),
        ('part = "panel"', 'part = "door"', ("scrap_file.name", "parts[panel].stages[fit].part")),
        ('item = "steel_galvanised"', 'booked = { purchase = "diesel" }', ("scrap_file.name", "materials[sheet].booked.purchase")),
        (', electricity = ' + figure(2, "kWh"), "", ("scrap_file.no_energy", "parts[panel].steps[press].electricity")),
        ("[prices]", "[prices", ("scrap_file.toml", None)),
        ("title = {", 'defects = "../defects.csv"\ntitle = {', ("scrap_file.path", "defects")),
    ],
)  # fmt: skip
def test_faults_of_the_file_name_their_key(
    losing: tuple[Context, scrap.Asked], old: str, new: str, wanted: tuple[str, str | None]
) -> None:
    context, asked = losing
    assert old in QUALITY
    (context.workspace.folder / "quality.toml").write_text(QUALITY.replace(old, new, 1), encoding="utf-8")
    found = problems_of(lambda: scrap.run(context, asked))
    assert wanted in {(one.code, one.column) for one in found}
    assert {one.file for one in found} == {"quality.toml"}


def test_a_plant_without_files_and_a_defect_nobody_mends_are_told(
    small: Context, losing: tuple[Context, scrap.Asked]
) -> None:
    context, asked = losing
    text = QUALITY.replace("minutes = ", 'defects = ["sag"]\nminutes = ', 1)
    (context.workspace.folder / "quality.toml").write_text(text, encoding="utf-8")
    assert [one.code for one in problems_of(lambda: scrap.run(context, asked))] == ["scrap.no_rework"]
    (context.workspace.folder / "quality.toml").unlink()
    assert [one.code for one in problems_of(lambda: scrap.run(context, asked))] == ["scrap_file.missing"]


def test_what_a_point_is_worth_by_hand(losing: tuple[Context, scrap.Asked]) -> None:
    context, asked = losing
    value = scrap_value.run(context, asked).parts[0]
    assert (value.good, value.scrap, value.rework) == (990, 10, 20)
    lost = (8 * (30 + 1.0) + 2 * (30 + 1.5 + 2.0)) / 10  # CNY a scrapped piece: metal less scrap sold, energy
    assert value.each["scrap"]["cny"].value == pytest.approx(lost)
    assert value.each["rework"]["cny"].value == pytest.approx(12.5)
    assert value.each["escape"]["cny"].value == pytest.approx(0.5 * (30 + 1.5 + 2.0 + 100))
    assert value.each["false_reject"]["cny"].value == pytest.approx(3 + 0.1 * lost)
    found = (10 * lost + 20 * 12.5) / 30
    assert value.point["scrap"]["cny"].value == pytest.approx(990 * (1 / 0.98 - 1 / 0.99) * lost)
    assert value.point["escape"]["cny"].value == pytest.approx(1000 * 0.03 * 0.01 * (66.75 - found))
    assert value.point["false_reject"]["cny"].value == pytest.approx(1000 * 0.97 * 0.01 * (3 + 0.1 * lost))
    behind = {station: row["cny"].value for station, row in value.stations.items()}
    assert behind["press"] == pytest.approx(990 * (1 / 0.98 - 1 / 0.99) * 31)
    assert behind["booth"] == pytest.approx(990 * (1 / 0.98 - 1 / 0.99) * 33.5)
    for row in value.point.values():
        assert all(one.low <= one.value <= one.high for one in row.values())
    assert value.point["scrap"]["cny"].low < value.point["scrap"]["cny"].value < value.point["scrap"]["cny"].high
    assert scrap_value.run(context, asked).as_json() == scrap_value.run(context, asked).as_json()
    with pytest.raises(NotFound):
        scrap_value.run(context, asked, ("roof",))


def test_more_pieces_make_the_interval_of_an_escape_narrower(losing: tuple[Context, scrap.Asked]) -> None:
    context, asked = losing
    assert asked.file is not None
    few = scrap_value.run(context, asked).parts[0].point["escape"]["kgco2e"]
    text = asked.file.read_text(encoding="utf-8")
    for old, new in ((",8\n", ",800\n"), (",2\n", ",200\n"), (",20\n", ",2000\n"), (",970\n", ",97000\n")):
        text = text.replace(old, new)
    asked.file.write_text(text, encoding="utf-8")
    many = scrap_value.run(context, asked).parts[0].point["escape"]["kgco2e"]
    assert many.value == pytest.approx(100 * few.value)
    assert (many.high - many.low) / many.value < 0.4 * (few.high - few.low) / few.value


def test_the_cheapest_threshold_beats_the_present_one(losing: tuple[Context, scrap.Asked], tmp_path: Path) -> None:
    context, asked = losing
    random = np.random.default_rng(8)
    rows = [f"{score:.6f},ok" for score in random.normal(0, 1, 300)] + [
        f"{score:.6f},pit" for score in random.normal(2.5, 1, 60)
    ]
    scores = tmp_path / "scores.csv"
    scores.write_text("score,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    found = scrap_threshold.run(context, asked, scrap_threshold.Judged("panel", scores, present=1.9))
    assert found.defective_fraction == pytest.approx(0.03)
    for name, one in found.best.items():
        assert one.cost <= found.present[name].cost
        assert one.cost == pytest.approx(min(cost for _, cost in found.curves[name]), rel=0.05)
    json.dumps(found.as_json(), allow_nan=False)
    scores.write_text("score,label\nx,ok\n1.0,\n", encoding="utf-8")
    judged = scrap_threshold.Judged("panel", scores)
    assert {(one.code, one.row) for one in problems_of(lambda: scrap_threshold.run(context, asked, judged))} == {
        ("scrap.score", 2),
        ("scrap.label", 3),
    }
    scores.write_text("score,label\n1.0,ok\n2.0,ok\n", encoding="utf-8")
    assert [one.code for one in problems_of(lambda: scrap_threshold.run(context, asked, judged))] == ["scrap.one_class"]


def test_the_reference_plant_loses_what_its_files_say(reference: Context) -> None:
    found = scrap.run(reference, scrap.Asked(MARCH))
    assert found.source == "defects.csv"
    with (PACKAGED / "defects.csv").open(encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["日期"].startswith("2025-03")]
    assert found.total.scrapped == sum(int(row["件数"]) for row in rows if row["处置"] == "报废")
    loss = found.total.loss
    assert loss.mass_kg == pytest.approx(
        sum(loss.kept_kg.values()) + sum(loss.recovered_kg.values()) + sum(loss.lost_kg.values())
    )
    assert sum(found.total.worth.gco2e.values()) / 1000 == pytest.approx(found.total.kgco2e.value)
    assert found.rates == ()  # no output is booked, and no good pieces are on record
    assert [one.code for one in found.warnings] == ["scrap.no_output"]


def test_recovery_keeps_the_provenance_of_its_rates(reference: Context) -> None:
    found = scrap_recover.run(reference, scrap.Asked(MARCH))
    cobalt = next(one for one in found.rates if one.rate.metal == "cobalt")
    assert cobalt.fraction == pytest.approx(0.993)
    assert cobalt.rate.status == "verified"
    assert "99.3" in cobalt.rate.source
    for one in found.materials:
        assert one.scrap_kg == pytest.approx(one.recovered_kg + one.lost_kg)
        assert one.closed_loop_kgco2e <= one.cut_off_kgco2e
        assert one.booked_kgco2e == (
            one.closed_loop_kgco2e if one.fate in ("returned", "remelted") else one.cut_off_kgco2e
        )
    sold = {one.material for one in found.materials if one.avoided_kgco2e is not None}
    assert sold == {"aluminium-sheet"}
    assert found.loop is not None
    assert found.loop.share_fraction == 0.3
    assert found.loop.needed_kg == 0.0  # nothing is bought in an empty book


def test_scrap_in_the_charge_saves_what_the_book_shows(reference: Context, tmp_path: Path) -> None:
    found = scrap_charge.run(reference, scrap.Asked(MARCH))
    assert found.is_sound
    assert found.saved_bought_kg > 0
    assert found.without.cost_cny > found.with_scrap.cost_cny
    assert found.booked is not None
    by_hand = 700.0 * sum(
        without - with_it for name, (with_it, without) in found.bought_kg.items() if name not in ("primary", "hydro")
    )
    by_hand += 15_500.0 * found.saved_primary_kg
    assert found.booked.saved_gco2e == pytest.approx(by_hand, abs=100)
    new = {one.alloy: one for one in found.returned}
    assert new["46000"].held
    assert not new["6016"].held
    made = scrap_charge.write(found, tmp_path / "charge")
    again = material_mix.run(reference, made[0])
    assert again.plan.cost_cny == pytest.approx(found.with_scrap.cost_cny)
    assert again.plan.charged_kg["defects-6016"] == pytest.approx(new["6016"].charged_kg)


def test_an_alloy_that_the_charge_does_not_know_is_told(reference: Context) -> None:
    folder = reference.workspace.folder
    shutil.copy(PACKAGED / "defects.csv", folder / "defects.csv")
    text = (PACKAGED / "quality.toml").read_text(encoding="utf-8")
    (folder / "quality.toml").write_text(text.replace('row = "returns"', 'row = "runners"'), encoding="utf-8")
    found = problems_of(lambda: scrap_charge.run(reference, scrap.Asked(MARCH)))
    assert [(one.code, one.column) for one in found] == [("scrap.no_row", "alloys[46000].row")]


def test_a_point_of_scrap_through_the_twin(small: Context, reopen: Callable[[Context], Context]) -> None:
    """Behind the bottleneck a scrapped piece is a piece less; its energy was spent all the same."""
    (small.workspace.folder / "twin.toml").write_text(TWIN, encoding="utf-8")
    text = (small.workspace.folder / "factory.toml").read_text(encoding="utf-8")
    (small.workspace.folder / "factory.toml").write_text(text + SHIFTS, encoding="utf-8")
    asked = twin.Asked(datetime(2025, 3, 10, tzinfo=UTC).date(), 2, 0, 4)
    more, less = scrap_twin.run(reopen(small), ["oven"], asked)
    assert (more.step, less.step) == (1, -1)
    assert more.differences["output"].mean < 0 < less.differences["output"].mean
    assert more.scrapped > 0 > less.scrapped
    assert more.differences["output"].mean == pytest.approx(-more.scrapped, abs=2.0)
    assert more.differences["kgco2e_per_piece"].mean > 0
    with pytest.raises(NotFound):
        scrap_twin.run(reopen(small), ["press"], asked)


SHIFTS = """
[calendar]
shifts = [{ name = { zh = "早班", en = "early" }, start = "07:00:00", end = "15:30:00" }]
"""
TWIN = """
[[stations]]
id = "booth"
name = { zh = "喷漆室", en = "booth" }
shop = "paint"
cycle = { kind = "fixed", mean_s = 60 }
gives = "flash"
draws.electricity = { power = { off = 5, idle = 40, working = 100 } }

[[stations]]
id = "oven"
name = { zh = "烘房", en = "oven" }
shop = "paint"
cycle = { kind = "fixed", mean_s = 50 }
takes = ["flash"]
scrap_fraction = 0.02
draws.electricity = { power = { off = 5, idle = 60, working = 80 } }

[[buffers]]
id = "flash"
capacity = 6
"""
