"""Commands of inspection at the line: inspect take, listen, defects, queue, label, audit."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zerofactory.cli.language import language, say
from zerofactory.cli.options import JsonOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_problems, print_table

if TYPE_CHECKING:
    from zerofactory.optimisation.quality.measure import Rate

ModelOption = Annotated[
    str, typer.Option("--model", metavar="NAME", help=say("模型(只有一个时可省略)", "model (may be left out when there is one)"))
]  # fmt: skip
ShopOption = Annotated[str, typer.Option("--shop", metavar="ID", help=say("车间", "shop"))]
StationOption = Annotated[str, typer.Option("--station", metavar="NAME", help=say("工位", "station"))]
ProductOption = Annotated[str, typer.Option("--product", metavar="ID", help=say("产品", "product"))]
SHOWN = 12


def add(group: typer.Typer) -> None:
    """Add these commands to the group ``inspect``."""
    group.command("take", help=say("判定一个文件夹的零件并登记入账", "judge the parts of a folder and book them"))(take)
    group.command("listen", help=say("听 MQTT: 相机发图, 判定并登记, 发回结果", "judge and book what cameras publish over MQTT"))(listen)  # fmt: skip
    group.command("defects", help=say("列出检验记录", "list the inspected parts"))(defects)
    group.command("queue", help=say("检验员下一步该看哪些图", "what an inspector should look at next"))(queue)
    group.command("label", help=say("检验员对已检零件下判定", "book what an inspector says of a part"))(label)
    group.command("audit", help=say("漏检与误判: 随机抽检的估计", "escapes and false rejects, from the audit"))(audit)


@door
def take(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help=say("图片文件夹", "folder of images"))],
    model: ModelOption = "",
    shop: ShopOption = "",
    station: StationOption = "",
    product: ProductOption = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import inspect_take as use

    found = use.take_folder(opened(workspace), folder, use.Part("", shop, station, product), model)
    if as_json:
        print_json([one.as_json() for one in found])
        return
    told = [one.as_json() for one in found]
    print_table(
        say(f"{sum(not one.repeated for one in found)} 件登记, {sum(one.repeated for one in found)} 件此前已登记",
            f"{sum(not one.repeated for one in found)} parts booked, {sum(one.repeated for one in found)} booked before"),
        [(say("零件码", "part code"), "left"), (say("判定", "verdict"), "left"), (say("得分", "score"), "right"), (say("阈值", "threshold"), "right"), (say("图片", "image"), "left")],
        [(str(one["part_code"]), *_verdict(one["model"]), str(one["image_sha256"])[:SHOWN]) for one in told],
    )  # fmt: skip


@door
def listen(
    broker: Annotated[str, typer.Option("--broker", metavar="HOST:PORT", help=say("MQTT 代理", "MQTT broker"))],
    topic: Annotated[str, typer.Option("--topic", metavar="FILTER", help=say("主题, 如 line/inspect/+", "topic, such as line/inspect/+"))],
    reply: Annotated[str, typer.Option("--reply", metavar="TOPIC", help=say("判定发到哪个主题", "where verdicts are published"))] = "zerofactory/verdict",
    model: ModelOption = "",
    shop: ShopOption = "",
    station: StationOption = "",
    product: ProductOption = "",
    user: Annotated[str, typer.Option("--user", help=say("用户名", "user name"))] = "",
    password_env: Annotated[str, typer.Option("--password-env", metavar="NAME", help=say("存密码的环境变量", "variable that holds the password"))] = "",
    tls: Annotated[bool, typer.Option("--tls", help=say("用 TLS", "use TLS"))] = False,
    ca_file: Annotated[Path | None, typer.Option("--ca-file", metavar="FILE", help=say("CA 证书", "certificate of the CA"))] = None,
    seconds: Annotated[float | None, typer.Option("--for", metavar="SECONDS", min=0.1, help=say("运行多少秒", "run for so many seconds"))] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.runs import inspect_listen as use
    from zerofactory.runs.inspect_desk import Sent

    options: dict[str, Any] = {"user": user, "password_env": password_env} if user else {}
    if tls or ca_file is not None:
        options |= {"tls": True} | ({"ca_file": str(ca_file)} if ca_file is not None else {})
    asked = use.Asked(broker, topic, reply, Sent("", shop, station, product, model), options, seconds)
    show = print_said if not as_json else lambda _told: None
    heard = use.listen(opened(workspace), asked, lambda problem: print_problems([problem]), show)
    if as_json:
        print_json(heard.as_json())
        return
    print_line(say(f"登记 {heard.booked} 件, 重复 {heard.repeated} 件, 拒收 {heard.refused} 条。", f"{heard.booked} parts booked, {heard.repeated} booked before, {heard.refused} refused."))  # fmt: skip


@door
def defects(
    every: Annotated[bool, typer.Option("--every", help=say("也列出已被更正的", "also rows that were corrected"))] = False,
    shop: ShopOption = "",
    since: Annotated[datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help=say("自哪一天(UTC)", "from which day (UTC)"))] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help=say("输出 CSV", "print CSV"))] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from datetime import UTC

    from zerofactory.metering.inspected import DEFECTS, DISPOSITIONS
    from zerofactory.runs.inspect_book import listed

    rows = listed(opened(workspace), every, shop, None if since is None else since.replace(tzinfo=UTC))
    if as_json:
        print_json(rows)
        return
    if as_csv:
        writer = csv.DictWriter(sys.stdout, DEFECTS.names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return
    print_table(
        say("检验记录", "inspected parts"),
        [(say("编号", "id"), "left"), (say("时间", "at"), "left"), (say("零件码", "part code"), "left"), (say("缺陷", "defect"), "left"), (say("处置", "disposition"), "left"), (say("判定者", "by"), "left")],
        [(row["defect_id"][:SHOWN], row["inspected_at"][:16].replace("T", " "), row["part_code"], row["defect"], DISPOSITIONS[row["disposition"]].in_language(language()),
          row["model"] if row["decided_by"] == "model" else row["actor"]) for row in rows],
    )  # fmt: skip


@door
def queue(
    model: ModelOption = "",
    shop: ShopOption = "",
    station: StationOption = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help=say("列多少", "how many"))] = 20,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import inspect_queue as use

    found = use.queue(opened(workspace), use.Only(model, shop, station), limit)
    if as_json:
        print_json([one.as_json() for one in found])
        return
    print_table(
        say("请看这些", "look at these"),
        [(say("图片", "image"), "left"), (say("零件码", "part code"), "left"), (say("为什么", "why"), "left"), (say("得分", "score"), "right"), (say("阈值", "threshold"), "right")],
        [(one.row["image_sha256"][:SHOWN], one.row["part_code"], use.WHY[one.why].in_language(language()), f"{one.row['score']:.3f}", f"{one.row['threshold']:.3f}") for one in found],
    )  # fmt: skip


@door
def label(
    part: Annotated[str, typer.Argument(metavar="IMAGE", help=say("图片哈希或记录编号(开头 6 位以上)", "hash of the image or id of a row (6 characters or more)"))],
    defect: Annotated[str, typer.Argument(metavar="CLASS", help=say("ok 或缺陷类别", "ok, or the class of defect"))],
    disposition: Annotated[str, typer.Option("--disposition", help="accept | rework | scrap | recheck")] = "",
    cause: Annotated[str, typer.Option("--cause", help="man | machine | material | method | environment | measurement")] = "",
    note: Annotated[str, typer.Option("--note", help=say("说明", "note"))] = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.metering.inspected import GOOD
    from zerofactory.runs.inspect_book import Said, correct, plain

    fate = disposition or ("accept" if defect == GOOD else "recheck")
    row = plain(correct(opened(workspace), part, Said(fate, defect, cause, note)))
    if as_json:
        print_json(row)
        return
    print_line(say(f"已登记 {row['part_code']}: {row['defect']}, {fate}; 更正了 {str(row['corrects'])[:SHOWN]}。", f"booked {row['part_code']}: {row['defect']}, {fate}; it corrects {str(row['corrects'])[:SHOWN]}."))  # fmt: skip


@door
def audit(
    model: ModelOption = "",
    shop: ShopOption = "",
    station: StationOption = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import inspect_queue as use

    found = use.audits(opened(workspace), use.Only(model, shop, station))
    if as_json:
        print_json([one.as_json() for one in found])
        return
    print_table(
        say("漏检与误判(95 % 区间)", "escapes and false rejects (95 % interval)"),
        [(say("期间", "span"), "left"), (say("放过", "passed"), "right"), (say("拒绝", "rejected"), "right"), (say("待抽检", "to audit"), "right"),
         (say("放过中不合格", "bad of passed"), "left"), (say("拒绝中合格", "good of rejected"), "left")],
        [(one.span or say("全部", "all"), str(one.passed), str(one.rejected), str(one.waiting), _share(one.escape), _share(one.false_reject)) for one in found],
    )  # fmt: skip


def print_said(told: Mapping[str, Any]) -> None:
    """Print one verdict that was published."""
    if "problems" in told:
        lang = language()
        print_line(f"✗ {told['topic']}: {' '.join(one['message'][lang] for one in told['problems'])}")
        return
    print_line(f"{told['part_code']}  {' '.join(_verdict(told['model'])[:2])}")


def _verdict(model: Any) -> tuple[str, str, str]:
    if model is None:
        return say("没有判定", "not judged"), "", ""
    word = say("拒绝", "rejected") if model["rejected"] else say("通过", "passed")
    return word, f"{model['score']:.4f}", f"{model['threshold']:.4f}"


def _share(one: Rate) -> str:
    return f"{one.hits}/{one.of} ({one.low:.1%} – {one.high:.1%})" if one.of else "—"
