"""Pages for everybody: axe over every page in both languages, light and dark; keyboard alone; a screen reader's names; paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pypdf
import pytest
from tests.conftest import NOW as SMALL_NOW
from tests.conftest import SMALL_PLANT, readings_of
from tests.instruments.conftest import NOW
from tests.web.conftest import DOCUMENT, PASSWORD
from tests.web.day_plant import Served, nearly_neutral, served

from zerofactory.periods import Period
from zerofactory.runs import alarms, budget, close, import_data
from zerofactory.runs.context import Context, stamp
from zerofactory.store.workspace import Workspace
from zerofactory.web.frame import pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.slow
PARTS = {
    "/plan": ("cost", "targets", "tasks", "roles", "evidence"), "/energy": ("structure", "dispatch", "backtest", "commands"),
    "/instruments": ("import", "claims", "expiry", "history&name=C0001"), "/evaluation": ("gap", "every"),
}  # fmt: skip
METERED = ("overview", "live", "wall", "alarms", "budget", "energy", "readings", "plant", "inventory", "health")
SETTLED = (
    "() => (window.socket?.connected ?? true) && !document.querySelector('#zf-main .q-spinner, #zf-main .zf-work')"
)
IMPACTS = ("serious", "critical")
PATIENT = 60_000


@pytest.fixture(scope="module")
def two_plants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a plant that lives on documents and one that lives on meters, each with something on every page."""
    folder = tmp_path_factory.mktemp("accessible")
    made, inbox = nearly_neutral(folder / "made")
    home = folder / "plants"
    home.mkdir()
    made.rename(home / "green")
    _metered(home / "small", folder)
    with served(home, inbox, folder / "log") as running:
        yield running


def _metered(plant: Path, folder: Path) -> None:
    plant.mkdir()
    (plant / "factory.toml").write_text(SMALL_PLANT, encoding="utf-8")
    Workspace.create(plant, at=stamp(SMALL_NOW), actor="test")

    def fresh() -> Context:
        return Context(Workspace.open(plant), NOW, "test")

    readings, documents = folder / "readings.parquet", folder / "documents.csv"
    readings_of((1,)).write_parquet(readings)
    documents.write_text(DOCUMENT, encoding="utf-8")
    import_data.run(fresh(), [readings, documents])
    close.run(fresh(), Period(2025, 1))
    budget.set_(fresh(), budget.Asked(2025, 900_000_000, 400_000_000, "seasonal", None, "test"))
    first, last = alarms.days_of_period("2025-01")
    alarms.scan(fresh(), alarms.Asked(first, last))


@pytest.fixture(scope="module")
def entered(browser: Browser, two_plants: Served) -> Iterator[BrowserContext]:
    """Return a browser in which the administrator is logged in."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    told = {"code": two_plants.welcome.split("code=")[1], "login": "li", "name": "李敏", "password": PASSWORD}
    made = context.request.post(f"{two_plants.address}/v1/accounts", data=told)
    assert made.status == 201, made.text()
    yield context
    context.close()


def look(entered: BrowserContext, plant: Served, path: str, language: str = "zh") -> Page:
    """Return a page that is drawn whole."""
    entered.add_cookies([{"name": "zf_lang", "value": language, "url": plant.address}])
    page = entered.new_page()
    page.goto(plant.address + path)
    page.wait_for_selector("#zf-main", timeout=PATIENT)
    page.wait_for_function(SETTLED, timeout=PATIENT)
    page.wait_for_timeout(400)
    return page


def addresses() -> list[str]:
    """Return every page and part of a page, at the plant that has something to show there."""
    found = []
    for one in sorted(pages().values(), key=lambda page: page.id):
        site = "small" if one.id in METERED else "green"
        found.append(f"{one.path}?site={site}")
        found += [f"{one.path}?site={site}&part={part}" for part in PARTS.get(one.path, ())]
    return [*found, "/declaration?site=green&period=2024", "/why?site=small&figure=diesel@2025-01", "/evaluation?site=small"]  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_axe_finds_nothing_serious_on_any_page(entered: BrowserContext, two_plants: Served, language: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    faults: list[str] = []
    for path in addresses():
        page = look(entered, two_plants, path, language)
        assert page.evaluate("document.documentElement.lang") == {"zh": "zh-CN", "en": "en-US"}[language], path
        page.add_style_tag(content="* { transition: none !important; }")  # colours would glide
        for dark in (False, True):
            page.evaluate(f"Quasar.Dark.set({str(dark).lower()})")
            page.wait_for_timeout(50)
            found: list[dict[str, Any]] = Axe().run(page).response["violations"]
            faults += [
                f"{path} {language} {'dark' if dark else 'light'}: {one['id']}: {one['nodes'][0]['html'][:160]}"
                for one in found
                if one["impact"] in IMPACTS
            ]
        page.close()
    assert faults == [], "\n".join(faults)


def test_axe_on_the_door(browser: Browser, two_plants: Served) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for language in ("zh-CN", "en-GB"):
        context = browser.new_context(locale=language)
        page = context.new_page()
        page.goto(f"{two_plants.address}/login")
        page.wait_for_selector("#zf-submit")
        found = Axe().run(page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in IMPACTS] == []
        context.close()


FOCUS = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const box = e.closest('.q-field--focused')?.querySelector('.q-field__control') ?? e.closest('.q-checkbox, .q-toggle') ?? e;
  const s = getComputedStyle(box), own = getComputedStyle(e);
  const shown = [s, own].some((c) => (c.outlineStyle !== 'none' && parseFloat(c.outlineWidth) > 0) || c.boxShadow !== 'none')
    || !!box.querySelector(':scope > .q-focus-helper, .q-checkbox__bg, .q-toggle__thumb') || e.id === 'zf-main';
  const label = e.getAttribute('aria-label') || e.innerText?.trim() || e.getAttribute('title') || e.getAttribute('alt')
    || (e.labels && e.labels[0]?.innerText) || document.getElementById(e.getAttribute('aria-labelledby') ?? '')?.innerText || e.value || '';
  e.dataset.zfSeen = (parseInt(e.dataset.zfSeen ?? '0') + 1);
  return {tag: e.tagName, id: e.id, label, shown, seen: parseInt(e.dataset.zfSeen), html: e.outerHTML.replace(/ data-zf-seen="[0-9]+"/, '').slice(0, 160)};
}"""


@pytest.mark.parametrize(
    "path",
    ["/?site=small", "/plan?site=green&part=roles", "/declaration?site=green", "/instruments?site=green&part=claims", "/alarms?site=small"],
)  # fmt: skip
def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    entered: BrowserContext, two_plants: Served, path: str
) -> None:
    page = look(entered, two_plants, path)
    page.keyboard.press("Tab")
    first = page.evaluate(FOCUS)
    assert first["html"].startswith('<a class="zf-skip"')  # the first stop leads past the menu
    box = page.locator(".zf-skip").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "zf-main"
    buttons = page.locator("#zf-main button:visible:not([disabled]), #zf-main a:visible:not(.q-uploader a)").count()
    stops: list[dict[str, Any]] = []
    for _ in range(400):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop is not None and stops and stop["html"] == stops[-1]["html"] and stop["seen"] < 6:
            continue  # a field for a date has a stop for its day, its month and its year
        if stop is None or stop["seen"] > 1:
            break
        stops.append(stop)
    assert [one["html"] for one in stops if not one["label"]] == []  # a screen reader has a name for each
    assert [one["html"] for one in stops if not one["shown"]] == []
    reached = [one for one in stops if one["tag"] in ("BUTTON", "A")]
    assert len(reached) >= buttons
    page.close()


def test_a_dialog_is_closed_by_escape_and_keeps_the_focus_inside(entered: BrowserContext, two_plants: Served) -> None:
    page = look(entered, two_plants, "/evaluation?site=green&period=2024")
    button = page.get_by_role("button", name=re.compile("^为什么: ")).first
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".q-dialog [role=heading]", timeout=PATIENT)
    opened = ".q-dialog__inner:not(.q-dialog__inner--animating)"  # it keeps the focus once it has opened
    page.wait_for_selector(opened, timeout=PATIENT)
    for _ in range(6):
        page.keyboard.press("Tab")
        inside = "document.activeElement === document.body || !!document.activeElement.closest('.q-dialog')"
        assert page.evaluate(inside)  # round the dialog and the browser's own bar, never to the page behind
    page.keyboard.press("Escape")
    page.wait_for_selector(".q-dialog", state="detached", timeout=PATIENT)
    page.close()


@pytest.mark.parametrize("path", ["/?site=small", "/budget?site=small", "/wall?site=small", "/evaluation?site=green&period=2024", "/energy?site=small"])  # fmt: skip
def test_every_chart_has_a_name_and_its_figures_as_a_table(
    entered: BrowserContext, two_plants: Served, path: str
) -> None:
    page = look(entered, two_plants, path)
    drawn = page.locator(".nicegui-echart")
    if path.startswith("/energy"):  # this plant has no tariff: the fault is told in words, and there is nothing to draw
        assert page.locator("[role=alert]").count() == 1
        return
    page.wait_for_selector(".nicegui-echart svg", timeout=PATIENT)
    for number in range(drawn.count()):
        chart = drawn.nth(number)
        assert len(chart.get_attribute("aria-label") or "") > 3
        assert chart.get_attribute("role") == "img"
    tables = page.locator("details.zf-data")
    assert tables.count() == drawn.count()
    tables.first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("details.zf-data[open] tbody tr").count() >= 1
    page.close()


@pytest.mark.parametrize(("path", "wanted"), [("/?site=small", "总览"), ("/budget?site=small", "预算"), ("/declaration?site=green&period=2024", "要求清单"), ("/plan?site=green&part=roles", "职责矩阵")])  # fmt: skip
def test_a_page_on_paper_is_the_page_without_its_frame(
    entered: BrowserContext, two_plants: Served, path: str, wanted: str
) -> None:
    page = look(entered, two_plants, path)
    page.evaluate("Quasar.Dark.set(true)")  # dark on the screen, dark on white on paper
    sheets = pypdf.PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages
    words = re.sub(r"\s", "", "".join(sheet.extract_text() for sheet in sheets))
    assert wanted in words
    assert "零碳工厂·" in words  # says of which plant it is
    assert "计量健康" not in words  # the menu stays away
    assert abs(float(sheets[0].mediabox.width) - 595) < 2  # A4
    page.set_viewport_size({"width": 718, "height": 1000})
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    wide = "[...document.querySelectorAll('#zf-main *')].filter((e) => getComputedStyle(e).visibility !== 'hidden' && e.getBoundingClientRect().right > 724).length"
    assert page.evaluate(wide) == 0
    page.close()


def test_no_page_is_wider_than_a_telephone(entered: BrowserContext, two_plants: Served) -> None:
    too_wide = []
    for path in addresses():
        page = look(entered, two_plants, path)
        page.set_viewport_size({"width": 390, "height": 800})
        for _ in range(40):  # a chart is drawn anew for its new width
            page.wait_for_timeout(150)
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide <= 390:
                break
        too_wide += [f"{path}: {wide}"] if wide > 390 else []
        page.close()
    assert too_wide == [], "; ".join(too_wide)
