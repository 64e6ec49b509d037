"""Commands of the plant file: plant show, steps, put, remove, meters, sources, apply, versions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_problems, print_table

if TYPE_CHECKING:
    from zerofactory.runs.plant import Saved

PartArgument = Annotated[
    str,
    typer.Argument(metavar="PART", help="shops | lines | products | meters | sources"),
]
PART_HELP = say("只看一部分", "one part only")


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(
        help=say("工厂文件: 看、改、版本", "the plant file: look, change, versions"), no_args_is_help=True
    )
    group.command("show", help=say("表计树与各部分", "the meter tree and the parts"))(show)
    group.command("steps", help=say("从空文件夹到第一份清单: 做到哪一步", "from an empty folder to a first inventory: where you are"))(steps)  # fmt: skip
    group.command("put", help=say("增加或替换一条", "add an entry, or put it in place of one"))(put)
    group.command("remove", help=say("去掉一条", "take an entry out"))(remove)
    group.command("meters", help=say("由 CSV/XLSX 清单导入表计, 或写出清单", "meters from a CSV/XLSX list, or write the list"))(meters)  # fmt: skip
    group.command("sources", help=say("各车间可选的排放源及其因子", "sources to choose from, with their factors"))(
        sources
    )
    group.command("apply", help=say("换上一份工厂文件(或旧版本)", "put a plant file (or an earlier version) in place"))(
        apply
    )
    group.command("versions", help=say("工厂文件的历次版本", "the versions of the plant file"))(versions)
    app.add_typer(group, name="plant")


@door
def show(
    part: Annotated[str | None, typer.Argument(metavar="[PART]", help=PART_HELP)] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import plant as run
    from zerofactory.runs import plant_tree

    context = opened(workspace)
    if as_json:
        print_json({"part": part, "entries": run.entries(context, part)} if part else run.show(context))
        return
    if part:
        for entry in run.entries(context, part):
            print_line(f"{entry.get('id', '')}  {_name(entry.get('name'))}")
        return
    rows = [(f"{'  ' * line.depth}{line.id}", read(line.name), line.carrier, line.unit, line.shop or "") for line in plant_tree.lines(context)]  # fmt: skip
    print_table(
        read(context.workspace.plant.name),
        [(say("表计", "meter"), "left"), (say("名称", "name"), "left"), (say("介质", "carrier"), "left"), (say("单位", "unit"), "left"), (say("车间", "shop"), "left")],
        rows,
    )  # fmt: skip


def _name(name: Any) -> str:
    return str(name.get(say("zh", "en"), "")) if isinstance(name, dict) else str(name or "")


@door
def steps(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs import first_run as run

    found = run.steps(opened(workspace))
    if as_json:
        print_json({"next": run.next_step(found), "steps": [step.as_json() for step in found]})
        return
    header = [("", "left"), (say("步骤", "step"), "left"), (say("做什么", "what"), "left")]
    print_table("", header, [("✓" if one.done else "·", read(one.title), read(one.text)) for one in found])


@door
def put(
    part: PartArgument,
    entry: Annotated[
        str,
        typer.Option(
            "--entry",
            metavar="JSON",
            help=say(
                '{"id": "lab", "kind": "other", "name": "实验室"}',
                '{"id": "lab", "kind": "other", "name": "laboratory"}',
            ),
        ),
    ],
    replaces: Annotated[
        str | None, typer.Option("--replace", metavar="ID", help=say("替换哪一条", "the entry it takes the place of"))
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import plant as run

    _told(run.put(opened(workspace), part, _object(entry), replaces), as_json)


@door
def remove(
    part: PartArgument,
    name: Annotated[str, typer.Argument(metavar="ID")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import plant as run

    _told(run.remove(opened(workspace), part, name), as_json)


@door
def meters(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="CSV, XLSX")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help=say("写出现有表计(CSV)", "write the meters there are (CSV)")),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=say("只检查, 不写入", "check only, write nothing"))
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.cli.language import language
    from zerofactory.runs import meter_list as run
    from zerofactory.store.files import write_bytes_whole

    context = opened(workspace)
    if out is not None:
        write_bytes_whole(out, run.as_csv(context, language()))
    if file is None:
        count = len(context.workspace.plant.meters)
        if as_json:
            print_json({"meters": count, "out": str(out) if out else None})
        else:
            print_line(say(f"{count} 块表计", f"{count} meters"))
        return
    done = run.run(context, file, dry_run)
    if as_json:
        print_json(done.as_json())
        return
    state = say("已写入", "written") if done.written else say("检查通过, 未写入", "sound, not written")
    print_line(
        say(
            f"{done.rows} 行: 新增 {len(done.added)}, 修改 {len(done.changed)}; {state}",
            f"{done.rows} rows: {len(done.added)} added, {len(done.changed)} changed; {state}",
        )
    )
    print_problems(list(done.warnings))


@door
def sources(
    shop: Annotated[str | None, typer.Option("--shop", metavar="ID", help=say("只看一个车间", "one shop only"))] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import source_offers as run

    found = [offer for offer in run.run(opened(workspace)) if shop in (None, offer.shop)]
    if as_json:
        print_json([offer.as_json() for offer in found])
        return
    rows = [
        (offer.shop or say("全厂", "site"), read(offer.name), offer.kind, "✓" if offer.used else "",
         say("缺因子", "missing") if offer.missing else ", ".join(dict.fromkeys(x.gas for x in offer.factors)) or "—")
        for offer in found
    ]  # fmt: skip
    header = [(say("车间", "shop"), "left"), (say("排放源", "source"), "left"), (say("种类", "kind"), "left"), (say("已有", "in use"), "left"), (say("因子", "factors"), "left")]  # fmt: skip
    print_table("", header, rows)
    print_problems(list(dict.fromkeys(problem for offer in found for problem in offer.missing)))


@door
def apply(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="factory.toml")] = None,
    version: Annotated[
        str | None, typer.Option("--version", metavar="SHA256", help=say("换回这个版本", "go back to this version"))
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.errors import FaultyData, Problem, Text
    from zerofactory.notation import text_of
    from zerofactory.runs import plant as run

    context = opened(workspace)
    if (file is None) == (version is None):
        message = Text("请给一个文件, 或 --version。", "Give a file or --version.")
        raise FaultyData([Problem("plant.which", message, Text("二者选一。", "One of the two."))])
    text = text_of(file.read_bytes(), file.name) if file is not None else run.version_text(context, version or "")
    _told(run.apply(context, text), as_json)


@door
def versions(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs import plant as run

    found = run.versions(opened(workspace))
    if as_json:
        print_json([version.as_json() for version in found])
        return
    header = [(say("号", "no."), "right"), (say("时间", "at"), "left"), (say("经手", "by"), "left"), (say("部分", "part"), "left"), (say("改动", "changed"), "left"), ("SHA-256", "left")]  # fmt: skip
    rows = [
        (str(v.seq), v.at[:19], v.actor, read(run.PARTS[v.part]), ", ".join(v.changed)[:30], v.sha256[:12])
        for v in found
    ]
    print_table("", header, rows)


def _object(text: str) -> dict[str, Any]:
    from zerofactory.errors import FaultyData, Problem, Text
    from zerofactory.notation import json_of

    found = json_of(text, "--entry", "plant.entry")
    if not isinstance(found, dict):
        hint = Text(
            '例如 {"id": "paint2", "kind": "paint", "name": "涂装二期"}', 'Such as {"id": "paint2", "kind": "paint"}'
        )
        raise FaultyData([Problem("plant.entry", Text("--entry 不是 JSON 对象。", "--entry is no JSON object."), hint)])
    return found


def _told(saved: Saved, as_json: bool) -> None:
    if as_json:
        print_json(saved.as_json())
        return
    changed = ", ".join(saved.changed) or say("没有改动", "nothing changed")
    print_line(say(f"已保存: {changed}(版本 {saved.sha256[:12]})", f"Saved: {changed} (version {saved.sha256[:12]})"))
    print_problems(list(saved.warnings))
