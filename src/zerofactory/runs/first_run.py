"""From an empty folder to a first inventory: make the plant from a template, and say which step comes next.

The steps are read from the workspace itself (its plant file, journal, files and seals), so they can be left at any moment, taken up
in another browser or from the command line, and gone back to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from zerofactory.errors import FaultyData, NotFound, Problem, Text, errors_of
from zerofactory.factors.vocabulary import regions
from zerofactory.runs import plant as plants
from zerofactory.runs.context import Context, clock, stamp
from zerofactory.site.load import plant as load_plant
from zerofactory.site.template import Answers, Template, filled, template, templates
from zerofactory.store.database import BOOK_FILE, has_book
from zerofactory.store.files import write_bytes_whole
from zerofactory.store.sqlite_file import SqliteFile
from zerofactory.store.workspace import PLANT_FILE, Workspace

OURS = (
    "access.db",
    "access.postgresql",
    ".lock.db",
    "book.db",
    "book.postgresql",
)  # what a server or a beginning that was cut short has left in an empty folder
STEPS: Mapping[str, tuple[Text, Text]] = {
    "plant": (Text("工厂", "Plant"), Text("选一个模板, 写上名称与省份。", "Choose a template; name the plant and its province.")),
    "shops": (Text("车间", "Shops"), Text("核对车间与组织。", "Look through shops and organisation.")),
    "meters": (Text("表计", "Meters"), Text("把表计改成您厂里的, 或导入一份清单。", "Make the meters yours, or import a list.")),
    "sources": (Text("排放源", "Sources"), Text("按车间勾选排放源; 每个都要有因子。", "Choose what emits, shop by shop; each needs a factor.")),
    "data": (Text("数据", "Data"), Text("导入读数和凭证。", "Import readings and documents.")),
    "close": (Text("封存", "Close"), Text("封存第一个月。", "Close the first month.")),
    "inventory": (Text("清单", "Inventory"), Text("看第一份清单。", "See the first inventory.")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the first run and whether it is done."""

    id: str
    title: Text
    text: Text
    done: bool

    def as_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        both = {name: {"zh": said.zh, "en": said.en} for name, said in (("title", self.title), ("text", self.text))}
        return {"id": self.id, **both, "done": self.done}


def is_fresh(folder: Path) -> bool:
    """Return whether a folder holds nothing but what a server has put into it: a plant may be made there."""
    if not folder.is_dir():
        return not folder.exists()
    return all(any(path.name.startswith(own) for own in OURS) for path in folder.iterdir())


def provinces() -> dict[str, Text]:
    """Return the regions a plant may lie in, by id: provinces first, then nations."""
    found = [region for region in regions().values() if region.level in ("province", "nation")]
    return {region.id: region.title for region in sorted(found, key=lambda region: region.level != "province")}


def create(folder: Path, name: str, answers: Answers, actor: str) -> Context:
    """Make a workspace from a template: the book, the plant file, and the first line of its versions.

    A beginning that was cut short is finished by the next call.

    Raises
    ------
    FaultyData
        The folder holds something else, somebody else made the plant meanwhile, or an answer is not sound.
    NotFound
        Unknown template.
    """
    chosen = template(name)
    text = _checked(chosen, answers)
    folder.mkdir(parents=True, exist_ok=True)
    if not is_fresh(folder):
        raise FaultyData([_taken(folder)])
    with SqliteFile(folder / BOOK_FILE).locked():
        if (folder / PLANT_FILE).exists():
            raise FaultyData([_taken(folder)])
        at = clock()
        if not has_book(folder):
            Workspace.create(folder, at=stamp(at), actor=actor)
        write_bytes_whole(folder / PLANT_FILE, text.encode())
        made = Context(Workspace.open(folder), at, actor)
        plants.record(made, "template", text.encode(), [f"template.{chosen.id}"])
    return made


def offered() -> list[dict[str, object]]:
    """Return the templates as plain JSON values."""
    return [
        {"id": one.id, "title": {"zh": one.title.zh, "en": one.title.en}, "text": {"zh": one.text.zh, "en": one.text.en}}
        for one in templates().values()
    ]  # fmt: skip


def steps(context: Context | None) -> list[Step]:
    """Return the steps in order; without a workspace none is done. What comes before a step that is done is done."""
    done: dict[str, bool] = {}
    if context is not None:
        workspace = context.workspace
        looked_at = {version.part for version in plants.versions(context) if not version.changed}
        closed = workspace.seals().height > 0
        done = {
            "plant": True,
            **{part: part in looked_at for part in ("shops", "meters", "sources")},
            "data": workspace.batches().height > 0,
            "close": closed,
            "inventory": closed,
        }
    last = max((number for number, name in enumerate(STEPS) if done.get(name)), default=-1)
    return [Step(name, title, text, number <= last) for number, (name, (title, text)) in enumerate(STEPS.items())]


def next_step(found: list[Step]) -> str:
    """Return the first step that is not done, or the last."""
    return next((step.id for step in found if not step.done), found[-1].id)


def _checked(chosen: Template, answers: Answers) -> str:
    problems = []
    for key, value in (
        ("id", answers.id),
        ("name", answers.name),
        ("organisation", answers.organisation),
        ("region", answers.region),
    ):
        words = list(value.values()) if isinstance(value, Mapping) else [value]
        if not all(word.strip() and word.isprintable() for word in words):
            problems.append(_missing(key))
    if answers.region.strip() and answers.region not in regions():
        problem = NotFound(Text("地区", "region"), answers.region, tuple(provinces())).as_problem()
        problems.append(problem.at(file=PLANT_FILE, column="plant.region"))
    if problems:
        raise FaultyData(problems)
    text = filled(chosen, answers)
    _, faults = load_plant(text, PLANT_FILE)
    if errors_of(faults):
        raise FaultyData(faults)
    return text


def _missing(key: str) -> Problem:
    column = "organisation.name" if key == "organisation" else f"plant.{key}"
    return Problem(
        "first_run.missing",
        Text("没有填写。", "It is not filled in."),
        Text("请填写。", "Fill it in."),
        file=PLANT_FILE,
        column=column,
    )


def _taken(folder: Path) -> Problem:
    return Problem(
        "first_run.taken",
        Text(f"{folder.name} 里已有工厂或其他文件。", f"{folder.name} holds a plant or other files already."),
        Text("请刷新页面; 或换一个空文件夹。", "Load the page again, or name an empty folder."),
    )
