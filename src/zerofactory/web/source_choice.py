"""Choosing sources: shop by shop what the plant may have, with the factor each would take, and decisions where one is missing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from nicegui import ui

from zerofactory.errors import Problem, Text
from zerofactory.runs import plant as plants
from zerofactory.runs import source_offers as run
from zerofactory.web.act import act
from zerofactory.web.plant_parts import dialog
from zerofactory.web.visit import Visit

Refresh = Callable[[], None]
FACTORS_SHOWN = 3


def offers(visit: Visit, refresh: Refresh) -> None:
    """Draw the offers of each shop; one click opens the form of the source, filled in as far as the plant allows."""
    plant = visit.context.workspace.plant
    names = {shop.id: shop.name for shop in plant.shops}
    ui.label(visit.say("还可以选", "Also to choose from")).classes("text-lg font-semibold pt-2").props(
        "role=heading aria-level=2"
    )
    free = [offer for offer in run.run(visit.context) if not offer.used]
    for shop, group in groupby(free, key=lambda offer: offer.shop):
        listed = list(group)
        title = visit.read(names[shop]) if shop else visit.say("全厂", "Whole site")
        with (
            ui.expansion(f"{title} · {len(listed)}", value=shop is None)
            .classes("w-full border rounded")
            .style("border-color: var(--zf-grid)")
        ):
            for offer in listed:
                _offer(visit, offer, refresh)


def _offer(visit: Visit, offer: run.Offer, refresh: Refresh) -> None:
    with ui.row().classes("w-full items-center gap-3 py-1"):
        with ui.column().classes("gap-0 grow basis-64"):
            ui.label(visit.read(offer.name)).classes("font-medium")
            with ui.column().classes("gap-0 text-xs"):
                _factors(visit, offer)
        if visit.may("manage"):
            entry = run.entry_of(offer, visit.context.workspace.plant)
            ui.button(
                visit.say("选用", "Choose"),
                icon="add",
                on_click=lambda: dialog(visit, "sources", entry, None, refresh),
            ).props(f'flat dense aria-label="{visit.say("选用", "Choose")} {visit.read(offer.name)}"')


def _factors(visit: Visit, offer: run.Offer) -> None:
    if offer.note is not None:
        ui.label(visit.read(offer.note)).classes("text-warning")
    if offer.missing:
        ui.label(visit.say("缺因子, 选用后在下面决定", "A factor is missing; decide below once chosen")).classes(
            "text-warning"
        )
    elif not offer.factors:
        ui.label(visit.say("不需要因子", "needs no factor")).classes("opacity-70")
    for answer in offer.factors[:FACTORS_SHOWN]:
        source = answer.terms[0].source if answer.terms else answer.factor_id
        ui.label(f"{answer.gas} {answer.value:.6g} {answer.unit} · {source}").classes("opacity-70")


def missing(visit: Visit, refresh: Refresh) -> int:
    """Draw every factor that the plant's sources lack, with the choices there are; return how many."""
    entries = plants.entries(visit.context, "sources")
    lacking: dict[Problem, list[str]] = {}
    for entry in entries:
        for problem in run.of_entry(visit.context, entry)[1]:
            lacking.setdefault(problem, []).append(str(entry.get("id")))
    if not lacking:
        if entries:
            ui.label(visit.say("每个排放源都有因子。", "Every source has its factor.")).classes("text-positive")
        return 0
    with ui.card().classes("w-full").props("role=alert"):
        ui.label(visit.say(f"{len(lacking)} 个因子要由您决定", f"{len(lacking)} factors for you to decide")).classes(
            "text-warning font-semibold"
        )
        for problem, names in lacking.items():
            with ui.column().classes("w-full gap-1 py-2"):
                ui.label(f"{', '.join(names)}: {visit.read(problem.message)}")
                _decide(visit, problem, refresh)
    return len(lacking)


def _decide(visit: Visit, problem: Problem, refresh: Refresh) -> None:
    found = run.decisions(problem)
    if not found or not visit.may("manage"):
        ui.label(visit.read(problem.hint)).classes("text-sm opacity-70")
        return
    for decision in found:
        _decision(visit, decision, refresh)


def _decision(visit: Visit, decision: run.Decision, refresh: Refresh) -> None:
    """Draw one decision: which factor, why, and the button that writes it into the plant file."""
    place = ui.column().classes("w-full")
    book = visit.context.workspace.factor_book
    choices = {name: f"{visit.read(book.by_id[name].title)} {book.by_id[name].value:.6g} {book.by_id[name].unit} · {name}" if name in book.by_id else name for name in decision.choices}  # fmt: skip
    with ui.row().classes("w-full items-center gap-2"):
        chosen = ui.select(choices, value=next(iter(choices)), label=visit.say("因子", "Factor")).props("dense outlined").classes("grow basis-64")  # fmt: skip
        reason = (
            ui.input(visit.say("理由(会写进报告)", "Reason (goes into the report)"))
            .props("dense outlined")
            .classes("grow basis-48")
        )

        async def decide() -> None:
            entry = {"role": decision.role, "factor": chosen.value, "reason": reason.value or ""}
            wanted = {name: value for name, value in entry.items() if value is not None}
            if await act(
                visit, "manage", f"plant {decision.part}", lambda c: plants.put(c, decision.part, wanted), place
            ):
                refresh()

        word = Text("接受", "Accept") if decision.part == "accounting.accept" else Text("采用", "Take it")
        ui.button(visit.read(word), on_click=decide).props("outline")
    place.move(target_index=-1)
