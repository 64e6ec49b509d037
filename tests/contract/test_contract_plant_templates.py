"""Every template of a new plant: sound as it is, bilingual, its factors resolve, its meters close, and its offers have factors."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import NOW

from zerofactory.errors import FaultyData
from zerofactory.runs import check, first_run, source_offers
from zerofactory.runs import init as making
from zerofactory.runs.context import Context
from zerofactory.site.load import plant as load_plant
from zerofactory.site.template import Answers, filled, templates
from zerofactory.store.workspace import Workspace

ALL = list(templates())


def made(folder: Path, name: str, region: str = "CN-安徽") -> Context:
    found = first_run.create(folder, name, Answers("one", "一厂", "集团", region), "li")
    return Context(found.workspace, NOW, "li")


def test_the_kinds_of_car_plant_are_there() -> None:
    assert {"vehicle", "battery", "components", "empty"} <= set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_a_template_is_a_sound_plant_in_both_languages(name: str) -> None:
    one = templates()[name]
    plant, problems = load_plant(filled(one, Answers("one", {"zh": "一厂", "en": "plant one"}, "集团", "CN-安徽")))
    assert problems == []
    assert plant is not None
    assert plant.region == "CN-安徽"
    names = [entry.name for entry in (*plant.shops, *plant.meters, *plant.sources)]
    assert all(entry.zh and entry.en and entry.zh != entry.en for entry in (one.title, one.text, *names))


@pytest.mark.parametrize("name", ALL)
def test_every_source_of_a_template_has_its_factors(name: str, tmp_path: Path) -> None:
    context = made(tmp_path / "plant", name)
    assert not check.run(context).failed
    for source in context.workspace.plant.sources:
        entry = {
            "id": source.id,
            "kind": source.kind,
            "item": source.item,
            "meters": source.meters,
            "detail": source.detail,
        }
        assert source_offers.of_entry(context, entry)[1] == ()


@pytest.mark.parametrize("name", ALL)
def test_an_offer_has_factors_or_says_what_may_be_decided(name: str, tmp_path: Path) -> None:
    context = made(tmp_path / "plant", name)
    for offer in source_offers.run(context):
        for problem in offer.missing:
            assert source_offers.decisions(problem), (offer.id, problem.hint.en)


def test_a_number_that_is_a_placeholder_says_so(tmp_path: Path) -> None:
    offers = [offer for name in ALL for offer in source_offers.run(made(tmp_path / name, name))]
    assert any(offer.note for offer in offers)
    assert [o.id for o in offers if o.note is None and any(isinstance(x, float) for x in o.detail.values())] == []
    for name in ALL:
        lines = templates()[name].content.splitlines()
        for number, line in enumerate(lines):
            if line.startswith("detail") and any(letter.isdigit() for letter in line):
                block = "\n".join(lines[max(0, number - 6) : number])
                assert "占位值" in block, line


@pytest.mark.parametrize("name", ALL)
def test_init_makes_the_same_plant_on_the_command_line(name: str, tmp_path: Path) -> None:
    making.run(tmp_path / "cli", begun_from=name)
    assert (tmp_path / "cli" / "factory.toml").read_text(encoding="utf-8") == templates()[name].content


def test_an_unknown_answer_is_told_at_its_key(tmp_path: Path) -> None:
    with pytest.raises(FaultyData) as caught:
        first_run.create(tmp_path / "plant", "vehicle", Answers("", " ", "x", "CN-火星"), "li")
    assert {problem.column for problem in caught.value.problems} == {"plant.id", "plant.name", "plant.region"}
    assert not (tmp_path / "plant" / "factory.toml").exists()


def test_the_folder_of_another_thing_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("x")
    assert not first_run.is_fresh(tmp_path)
    with pytest.raises(FaultyData):
        made(tmp_path, "vehicle")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.doc"]


def test_a_beginning_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    Workspace.create(tmp_path, at="2026-01-15T00:00:00.000000Z", actor="li")  # killed before the plant file was written
    assert first_run.is_fresh(tmp_path)
    context = made(tmp_path, "battery")
    assert [entry.kind for entry in context.workspace.journal.entries()] == ["open", "plant"]
    with pytest.raises(FaultyData):  # somebody else was quicker
        made(tmp_path, "battery")
