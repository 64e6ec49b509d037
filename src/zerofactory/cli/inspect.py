"""Commands of learned inspection: inspect train, test, run, list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli import inspect_line
from zerofactory.cli.language import say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from zerofactory.optimisation.quality.measure import Rate

FolderArgument = Annotated[Path, typer.Argument(metavar="FOLDER", help=say("图片文件夹", "folder of images"))]
ModelOption = Annotated[str, typer.Option("--model", metavar="NAME", help=say("模型名称", "name of the model"))]
VersionOption = Annotated[
    int | None, typer.Option("--version", min=1, help=say("版本(默认最新)", "version (default: newest)"))
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(help=say("AI 视觉检测: 从图片学会什么是合格品", "learned inspection: what a good part looks like"), no_args_is_help=True)  # fmt: skip
    group.command("train", help=say("训练一个模型(只有合格品, 或带缺陷类别)", "train a model (good parts only, or with classes of defects)"))(train)  # fmt: skip
    group.command("test", help=say("用没见过的图片检验", "test on images it has not seen"))(examine)
    group.command("run", help=say("判定一个文件夹的零件", "judge the parts of a folder"))(run)
    group.command("list", help=say("列出模型", "list the models"))(list_)
    inspect_line.add(group)
    app.add_typer(group, name="inspect")


@door
def train(
    model: ModelOption,
    folder: Annotated[Path | None, typer.Argument(metavar="[FOLDER]", help=say("图片文件夹; 有 --from-queue 时可省略", "folder of images; may be left out with --from-queue"))] = None,
    from_queue: Annotated[bool, typer.Option("--from-queue", help=say("也从检验员的判定学习", "learn from inspectors' verdicts too"))] = False,
    shop: Annotated[str, typer.Option("--shop", metavar="ID", help=say("只学这个车间的判定", "verdicts of this shop alone"))] = "",
    station: Annotated[str, typer.Option("--station", metavar="NAME", help=say("只学这个工位的判定", "verdicts of this station alone"))] = "",
    good: Annotated[str, typer.Option("--good", metavar="CLASS", help=say("合格品的类别", "class of good parts"))] = "ok",
    false_reject: Annotated[
        float, typer.Option("--false-reject", help=say("保证的误判率", "false rejects that are promised"))
    ] = 0.05,
    side: Annotated[int, typer.Option("--side", help=say("图片缩放到的边长(0: 按图片自身)", "side that images are brought to (0: their own)"))] = 0,
    escape: Annotated[
        float | None, typer.Option("--escape", help=say("还要保证的漏检率", "escapes that are promised too"))
    ] = None,
    localise: Annotated[
        bool, typer.Option("--localise", help=say("学习缺陷的位置(标注的框、多边形或掩模)", "learn where defects are (marked boxes, polygons or masks)"))
    ] = False,
    despite_suspects: Annotated[
        bool, typer.Option("--despite-suspects", help=say("标签可疑也训练", "train although labels are in doubt"))
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from dataclasses import asdict

    from zerofactory.runs import inspect_parts as use
    from zerofactory.runs import inspect_queue

    context = opened(workspace)
    more = inspect_queue.training(context, good, inspect_queue.Only(model, shop, station)) if from_queue else ()
    card = use.train(
        context, use.Asked(folder, model, good, false_reject, side, despite_suspects, escape, localise), more=more
    )
    if as_json:
        print_json({name: value for name, value in asdict(card).items() if name != "seen"})
        return
    print_line(say(f"模型 {card.name} v{card.version}: {card.images} 张图片, 类别 {', '.join(card.classes)}, 阈值 {card.threshold:.4f}",
                   f"model {card.name} v{card.version}: {card.images} images, classes {', '.join(card.classes)}, threshold {card.threshold:.4f}"))  # fmt: skip
    for name, title in (("false_reject", say("误判(合格被拒)", "false rejects")), ("escape", say("漏检", "escapes"))):
        one = card.metrics.get(name)
        if one:
            print_line(
                f"  {title}: {one['hits']}/{one['of']} = {one['value']:.1%} ({one['low']:.1%} – {one['high']:.1%})"
            )
    _told_measures(card.metrics)
    print_line(say("  以上都来自没见过该组图片的模型。", "  All by judges that had not seen an image's group."))


@door
def examine(
    folder: FolderArgument,
    model: ModelOption,
    version: VersionOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import inspect_parts as use

    found = use.examine(opened(workspace), model, folder, version)
    if as_json:
        print_json(found.as_json())
        return
    rows = [
        (say("漏检(不合格放过)", "escapes"), *_cells(found.escape)),
        (say("误判(合格被拒)", "false rejects"), *_cells(found.false_reject)),
        *((say(f"检出 {label}", f"found {label}"), *_cells(one)) for label, one in found.by_class.items()),
    ]
    print_table(
        say(f"模型 {found.model.name} v{found.model.version}, {found.images} 张没见过的图片", f"model {found.model.name} v{found.model.version}, {found.images} images not seen"),
        [("", "left"), (say("张", "images"), "right"), (say("比例", "share"), "right"), (say("95 % 区间", "95 % interval"), "right")],
        rows,
    )  # fmt: skip
    if found.auroc is not None:
        print_line(f"AUROC {found.auroc.value:.3f} ({found.auroc.low:.3f} – {found.auroc.high:.3f})")


@door
def run(
    folder: FolderArgument,
    model: ModelOption,
    version: VersionOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help=say("另存判定与热图", "also write verdicts and heat maps"))
    ] = None,
    maps: Annotated[
        Path | None, typer.Option("--maps", metavar="FOLDER", help=say("每件都存热图", "write a heat map of every part"))
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.optimisation.quality.drift import TITLES
    from zerofactory.runs import inspect_parts as use

    found = use.judge_folder(opened(workspace), model, folder, version, out, maps)
    verdicts = found.verdicts
    if as_json:
        print_json(found.as_json())
        return
    print_table(
        say(f"{sum(one.rejected for one in verdicts)} / {len(verdicts)} 件被拒", f"{sum(one.rejected for one in verdicts)} of {len(verdicts)} parts rejected"),
        [(say("图片", "image"), "left"), (say("判定", "verdict"), "left"), (say("得分", "score"), "right"), (say("最可能", "likeliest"), "left")],
        [(one.file, say("拒绝", "rejected") if one.rejected else say("通过", "passed"), f"{one.score:.4f}", one.likeliest and f"{one.likeliest} {one.chance:.0%}") for one in verdicts],
    )  # fmt: skip
    if found.drift is not None and found.drift.raised:
        named = TITLES[found.drift.figure]
        higher = found.drift.direction == "higher"
        print_line(say(f"! 相机或光线变了: {named.zh}{'升高' if higher else '降低'}(第 {(found.drift.raised_at or 0) + 1} 张起确认, 误报率 ≤ {found.drift.promised:g})。请检查相机, 或重新训练。",
                       f"! Camera or light have changed: {named.en} is {found.drift.direction} (sure at image {(found.drift.raised_at or 0) + 1}; false alarms ≤ {found.drift.promised:g}). Look at the camera, or train again."))  # fmt: skip


@door
def list_(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.runs.inspect_model import cards

    rows = cards(opened(workspace).workspace.folder)
    if as_json:
        print_json(rows)
        return
    print_table(
        say("检测模型", "inspection models"),
        [(say("名称", "name"), "left"), (say("版本", "version"), "right"), (say("类别", "classes"), "left"), (say("图片", "images"), "right"), (say("训练于", "made"), "left")],
        [(str(one["name"]), str(one["version"]), ", ".join(one["classes"]), str(one["images"]), str(one["made_at"])[:16]) for one in rows],  # type: ignore[arg-type]
    )  # fmt: skip


def _told_measures(metrics: Mapping[str, Any]) -> None:
    for name, title in (("auroc", "AUROC"), ("patch_auroc", say("图块 AUROC", "AUROC of patches"))):
        if name in metrics:
            value, low, high = metrics[name]
            print_line(f"  {title}: {value:.3f} ({low:.3f} – {high:.3f})")
    rates = {
        label: (say(f"检出 {label}", f"found {label}"), one) for label, one in metrics.get("found_by_class", {}).items()
    }
    titles = (
        ("named_right", say("类别说对", "class named right")),
        ("found_at_overlap", say("框对(IoU ≥ 0.3)", "boxed (IoU ≥ 0.3)")),
        ("touched", say("框到", "touched by a box")),
    )
    rates |= {name: (title, metrics[name]) for name, title in titles if name in metrics}
    for title, one in rates.values():
        print_line(f"  {title}: {one['hits']}/{one['of']} = {one['value']:.1%} ({one['low']:.1%} – {one['high']:.1%})")
    if metrics.get("odd_good"):
        named = ", ".join(metrics["odd_good"][:5])
        print_line(
            say(
                f"  与其他合格品很不同, 请确认是合格品: {named}",
                f"  far from the other good ones, make sure that they are good: {named}",
            )
        )
    if metrics.get("doubtful"):
        named = ", ".join(metrics["doubtful"][:5])
        print_line(say(f"  标签可疑, 请复核: {named}", f"  labels in doubt, look at them: {named}"))
    if "region_overlap" in metrics:
        told = f"PRO {metrics['region_overlap']:.3f}, "
        print_line(
            say(
                f"  {told}每图误框 {metrics['false_boxes_per_image']:.2f}",
                f"  {told}{metrics['false_boxes_per_image']:.2f} false boxes an image",
            )
        )


def _cells(one: Rate) -> tuple[str, str, str]:
    return f"{one.hits}/{one.of}", f"{one.value:.1%}", f"{one.low:.1%} – {one.high:.1%}"
