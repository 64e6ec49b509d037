"""Changing the plant file: checked, whole, by one at a time, every version kept, and nothing taken away that the book rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from zerofactory.errors import FaultyData, NotFound
from zerofactory.periods import Period
from zerofactory.runs import close, first_run, import_data, meter_list, verify
from zerofactory.runs import plant as plants
from zerofactory.runs.context import Context

Reopen = Callable[[Context], Context]


def codes(caught: pytest.ExceptionInfo[FaultyData]) -> list[str]:
    return [problem.code for problem in caught.value.problems]


def test_a_change_is_written_kept_and_journaled(small: Context, reopen: Reopen) -> None:
    file = small.workspace.folder / "factory.toml"
    before = file.read_bytes()
    saved = plants.put(small, "shops", {"id": "body", "kind": "body", "name": "焊装"})
    assert saved.changed == ("shops.body",)
    assert saved.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    found = plants.versions(small)
    assert [(one.part, one.changed) for one in found] == [("by hand", ()), ("shops", ("shops.body",))]
    assert plants.version_text(small, found[0].sha256).encode() == before
    assert reopen(small).workspace.plant.shop("body").name.zh == "焊装"
    assert verify.run(reopen(small)).clean
    plants.apply(small, plants.version_text(small, found[0].sha256))
    assert file.read_bytes() == before


def test_what_would_not_be_sound_is_not_written(small: Context) -> None:
    file = small.workspace.folder / "factory.toml"
    before, entries = file.read_bytes(), small.workspace.journal.last()
    for part, entry in (
        ("meters", {"id": "E2", "name": "x", "carrier": "electricity", "kind": "register", "unit": "kWhh"}),
        ("meters", {"id": "E1", "name": "x", "carrier": "electricity", "kind": "register", "unit": "kWh"}),
        ("sources", {"id": "s", "kind": "dry_ice", "name": "x", "meters": ["nothing"]}),
        ("shops", {"id": "a", "kind": "paint", "name": "x", "colour": "red"}),
        ("shops", {"id": "b", "kind": "paint", "name": [None]}),
    ):
        with pytest.raises(FaultyData) as caught:
            plants.put(small, part, entry)
        assert caught.value.problems[0].column is not None
    assert (file.read_bytes(), small.workspace.journal.last()) == (before, entries)


def test_two_who_change_the_same_version_one_wins_the_other_is_told(small: Context) -> None:
    seen = plants.show(small)["sha256"]
    shops = plants.entries(small, "shops")
    plants.save_list(small, "shops", [*shops, {"id": "body", "kind": "body", "name": "焊装"}], seen)
    with pytest.raises(FaultyData) as caught:
        plants.save_list(small, "shops", shops, seen)
    assert codes(caught) == ["plant.changed_since"]
    assert [one["id"] for one in plants.entries(small, "shops")] == ["paint", "utilities", "body"]


def test_a_change_by_hand_is_kept_as_a_version_too(small: Context) -> None:
    plants.put(small, "shops", {"id": "body", "kind": "body", "name": "焊装"})
    file = small.workspace.folder / "factory.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("测试公司", "测试集团"), encoding="utf-8")
    by_hand = hashlib.sha256(file.read_bytes()).hexdigest()
    plants.save_table(small, "organisation", {"credit_code": "9131"})
    assert [one.part for one in plants.versions(small)] == ["by hand", "shops", "by hand", "organisation"]
    assert plants.version_text(small, by_hand)


def test_what_the_book_rests_on_may_not_go(
    small: Context, reopen: Reopen, write_form: Callable[..., Path], write_readings: Callable[..., Path]
) -> None:
    import_data.run(small, [write_readings(1), write_form("diesel,2025-01-01,2025-01-31,1000,L,diesel,invoiced,D-1,")])
    for part, name in (("meters", "E1"), ("sources", "diesel")):
        with pytest.raises(FaultyData):
            plants.remove(reopen(small), part, name)
    close.run(reopen(small), Period.parse("2025-01"))
    with pytest.raises(FaultyData) as caught:
        plants.remove(reopen(small), "sources", "vehicles")
    assert codes(caught) == ["plant.held"]
    assert "2025-01" in caught.value.problems[0].message.zh
    plants.put(
        reopen(small), "sources", {"id": "co2", "kind": "dry_ice", "name": "干冰", "shop": "paint", "item": "dry_ice"}
    )
    plants.remove(reopen(small), "sources", "co2")
    assert verify.run(reopen(small)).clean


def test_an_unknown_part_or_entry_lists_the_choices(small: Context) -> None:
    with pytest.raises(NotFound):
        plants.entries(small, "rooms")
    with pytest.raises(NotFound):
        plants.put(small, "shops", {"id": "x"}, replaces="nobody")
    with pytest.raises(NotFound):
        plants.remove(small, "shops", "nobody")
    with pytest.raises(NotFound):
        plants.version_text(small, "0" * 64)


def test_a_broken_file_is_told_not_overwritten(small: Context) -> None:
    file = small.workspace.folder / "factory.toml"
    file.write_text("[plant\n", encoding="utf-8")
    for change in (lambda: plants.entries(small, "shops"), lambda: plants.put(small, "shops", {"id": "x"})):
        with pytest.raises(FaultyData) as caught:
            change()
        assert codes(caught) == ["site.not_toml"]
    with pytest.raises(FaultyData):
        plants.apply(small, "also [ broken")
    assert file.read_text(encoding="utf-8") == "[plant\n"


def test_the_steps_follow_the_book(small: Context, reopen: Reopen, write_readings: Callable[..., Path]) -> None:
    assert first_run.next_step(first_run.steps(None)) == "plant"
    assert first_run.next_step(first_run.steps(small)) == "shops"
    plants.put(small, "shops", {"id": "body", "kind": "body", "name": "焊装"})
    assert first_run.next_step(first_run.steps(small)) == "shops"  # a change is no look through
    for part, then in (("shops", "meters"), ("meters", "sources"), ("sources", "data")):
        plants.confirm(reopen(small), part)
        assert first_run.next_step(first_run.steps(small)) == then
    import_data.run(reopen(small), [write_readings(1)])
    assert close.open_months(reopen(small)) == ["2025-01"]  # February has a closing reading only at its first instant
    close.run(reopen(small), Period.parse("2025-01"))
    assert all(step.done for step in first_run.steps(reopen(small)))


HEAD = "编号,名称,英文名,介质,类型,单位,车间,上级,倍率,自动采集\n"


def written(tmp_path: Path, *lines: str, head: str = HEAD) -> Path:
    path = tmp_path / "表计.csv"
    path.write_text(head + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_a_list_of_meters_is_taken_in_either_language(small: Context, reopen: Reopen, tmp_path: Path) -> None:
    done = meter_list.run(
        small, written(tmp_path, 'E2,涂装电表,paint shop,电力,累计表,kWh,涂装,E1,"4,000",是', "E1,,,,,,,,,否")
    )
    assert (done.added, done.changed) == (("E2",), ("E1",))
    meter = reopen(small).workspace.plant.meter("E2")
    assert (meter.carrier, meter.kind, meter.shop, meter.multiplier, meter.name.en) == (
        "electricity",
        "register",
        "paint",
        4000,
        "paint shop",
    )
    assert not reopen(small).workspace.plant.meter("E1").automatic
    english = tmp_path / "meters.csv"
    english.write_bytes(meter_list.as_csv(reopen(small), "en"))
    again = meter_list.run(reopen(small), english)
    assert (again.rows, again.added, again.changed) == (3, (), ())  # what is written is read back as it was


def test_every_fault_of_a_list_at_its_row(small: Context, tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "E2,甲,,电力,累计表,kWhh,涂装,E1,x,",
        "E2,乙,,电力,什么,kWh,车库,E1,1,",
        ",丙,,电力,累计表,kWh,涂装,E1,1,",
        "E4,丁,,电力,累计表,kWh,涂装,E9,1,",
    )
    with pytest.raises(FaultyData) as caught:
        meter_list.run(small, path)
    found = {(problem.row, problem.column) for problem in caught.value.problems}
    assert {(2, "倍率"), (2, "单位"), (3, "类型"), (3, "车间"), (3, "编号"), (4, "编号"), (5, "上级")} <= found
    assert [one["id"] for one in plants.entries(small, "meters")] == ["E1", "G1"]


def test_unknown_columns_and_a_list_without_ids_are_refused(small: Context, tmp_path: Path) -> None:
    with pytest.raises(FaultyData) as caught:
        meter_list.run(small, written(tmp_path, "E2,x", head="编号,颜色\n"))
    assert codes(caught) == ["meters.column"]
    with pytest.raises(FaultyData) as caught:
        meter_list.run(small, written(tmp_path, "x", head="名称\n"))
    assert codes(caught) == ["meters.no_id"]


def test_a_name_that_looks_like_a_formula_is_harmless_in_a_spreadsheet(small: Context, reopen: Reopen) -> None:
    plants.put(
        small, "meters", {"id": "E2", "name": "=1+1", "carrier": "electricity", "kind": "register", "unit": "kWh"}
    )
    assert ",'=1+1," in meter_list.as_csv(reopen(small)).decode()
