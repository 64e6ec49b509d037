"""Commands of quality losses: scrap account, value, threshold, recover, charge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened
from zerofactory.cli.output import EXIT_FAULTY, door, print_json, print_line, print_problems, print_table
from zerofactory.cli.progress import working

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from zerofactory.optimisation.quality.counted import Counted
    from zerofactory.runs.scrap import Account, Group
    from zerofactory.runs.scrap_charge import Recharged
    from zerofactory.runs.scrap_recover import Recovered
    from zerofactory.runs.scrap_threshold import Chosen
    from zerofactory.runs.scrap_twin import Moved
    from zerofactory.runs.scrap_value import PartValue, Values

FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE",
        help=say("缺陷表 csv/xlsx(默认: 账本的检验记录)", "table of defects, csv or xlsx (default: inspected parts of the book)"),
    ),
]  # fmt: skip
OutOption = Annotated[Path | None, typer.Option("--out", metavar="DIR", help=say("输出文件夹", "folder for the files"))]
KEYS = {"defect": ("缺陷", "defect"), "shop": ("车间", "shop"), "cause": ("原因", "cause"), "part": ("零件", "part"), "station": ("工位", "station")}  # fmt: skip
KINDS = {"scrap": ("报废", "scrap"), "rework": ("返工", "rework"), "escape": ("漏检", "escape"), "false_reject": ("误判", "false reject")}  # fmt: skip
FATES = {"sold": ("外售", "sold"), "returned": ("返钢厂闭环", "returned to the mill"), "remelted": ("本厂回炉", "remelted"), "disposed": ("处置", "disposed")}  # fmt: skip
STATES = {"held": ("含在到货内", "held by deliveries"), "booked": ("已有凭证", "booked"), "ours": ("已按件数入账", "booked from counts"), "to_book": ("待入账", "to be booked")}  # fmt: skip
ENERGY = {"electricity": ("电", "electricity"), "natural_gas": ("天然气", "natural gas")}
BOOKED = {"purchase": ("外购", "purchase"), "scrap": ("回收废料", "scrap"), "lost": ("损失", "lost"), "waste": ("废物处置", "waste")}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("质量损失: 报废返工的千克、电、钱、碳", "quality losses: scrap and rework in kg, kWh, CNY, CO2e"))  # fmt: skip
    group.command("account", help=say("按缺陷、车间、原因汇总, 与账本核对", "by defect, shop and cause, reconciled with the book"))(account)  # fmt: skip
    group.command("value", help=say("报废、返工、漏检、误判一个百分点值多少", "what one point of scrap, rework, escape, false reject is worth"))(value)  # fmt: skip
    group.command("threshold", help=say("代价最小的检测阈值", "the inspection threshold that costs least"))(threshold)
    group.command("recover", help=say("各金属回收率, 闭环与截断", "recovery of metals, closed loop and cut-off"))(
        recover
    )
    group.command("charge", help=say("报废件回炉: 有它与没有它的配料", "scrap back into the charge: with it and without"))(charge)  # fmt: skip
    app.add_typer(group, name="scrap")


@door
def account(
    period: PeriodOption,
    file: FileOption = None,
    by: Annotated[str, typer.Option("--by", help=say("defect | shop | cause | part | station", "defect | shop | cause | part | station"))] = "defect",
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.errors import NotFound, Text
    from zerofactory.periods import Period
    from zerofactory.runs import scrap, scrap_files

    if by not in KEYS:
        raise NotFound(Text("分组", "grouping"), by, tuple(KEYS))
    context = opened(workspace)
    found = scrap.run(context, scrap.Asked(Period.parse(period), file))
    files = scrap_files.write(context, found, out) if out else []
    if as_json:
        print_json(found.as_json())
        return
    _print_account(found, by)
    for path in files:
        print_line(say(f"已写 {path}", f"Wrote {path}"))
        if path.name == scrap_files.FORM:
            print_line(say(f"入账: zf import {path.name}", f"Book it: zf import {path.name}"))


@door
def value(
    period: PeriodOption,
    part: Annotated[list[str] | None, typer.Option("--part", metavar="ID", help=say("只看这些零件(可重复)", "only these parts (repeatable)"))] = None,
    good: Annotated[int | None, typer.Option("--good", min=1, help=say("合格件数(默认: 检验记录或账本产量)", "good pieces (default: inspected, or the book's output)"))] = None,
    file: FileOption = None,
    twin: Annotated[list[str] | None, typer.Option("--twin", metavar="STATION", help=say("再用孪生模拟这些工位(可重复)", "also run these stations through the twin (repeatable)"))] = None,
    kind: Annotated[str, typer.Option("--kind", help=say("孪生中变动: scrap | rework", "moved in the twin: scrap | rework"))] = "scrap",
    days: Annotated[int, typer.Option("--days", min=1, max=60, help=say("孪生天数", "days of the twin"))] = 5,
    runs: Annotated[int, typer.Option("--runs", min=2, max=100, help=say("孪生重复次数", "replications of the twin"))] = 8,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.periods import Period
    from zerofactory.runs import scrap, scrap_twin, scrap_value
    from zerofactory.runs import twin as line

    context, asked = opened(workspace), Period.parse(period)
    found = scrap_value.run(context, scrap.Asked(asked, file), tuple(part or ()), good)
    moved: Sequence[Moved] = ()
    if twin:
        first = asked.start("UTC").date()
        with working(say("模拟……", "simulating …")):
            moved = scrap_twin.run(context, twin, line.Asked(first, days, runs=runs), kind)
    if as_json:
        print_json({**found.as_json(), "twin": [one.as_json() for one in moved]})
        return
    _print_values(found)
    _print_moved(moved, days)


@door
def threshold(
    period: PeriodOption,
    part: Annotated[str, typer.Option("--part", metavar="ID", help=say("零件", "part"))],
    scores: Annotated[Path | None, typer.Option("--scores", metavar="FILE", help=say("得分表: score, label(默认: 账本里检验员复核过的)", "table of scores: score, label (default: parts of the book an inspector judged)"))] = None,
    good: Annotated[str, typer.Option("--good-label", help=say("合格件的类别", "label of good parts"))] = "ok",
    model: Annotated[str | None, typer.Option("--model", metavar="NAME", help=say("与该模型的现行阈值并列", "beside the present threshold of this model"))] = None,
    present: Annotated[float | None, typer.Option("--present", help=say("现行阈值", "present threshold"))] = None,
    defective: Annotated[float | None, typer.Option("--defective", min=0.0, max=1.0, help=say("缺陷件比例(默认: 本期计数)", "share of defective parts (default: counted)"))] = None,
    file: FileOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.periods import Period
    from zerofactory.runs import scrap, scrap_threshold

    asked = scrap_threshold.Judged(part, scores, good, model, present, defective)
    found = scrap_threshold.run(opened(workspace), scrap.Asked(Period.parse(period), file), asked)
    print_json(found.as_json()) if as_json else _print_threshold(found)


@door
def recover(
    period: PeriodOption, file: FileOption = None, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import scrap, scrap_recover

    found = scrap_recover.run(opened(workspace), scrap.Asked(Period.parse(period), file))
    print_json(found.as_json()) if as_json else _print_recovered(found)


@door
def charge(
    period: PeriodOption,
    mix: Annotated[Path | None, typer.Option("--mix", metavar="FILE", help=say("配料文件(默认: material/mix.toml)", "charge file (default: material/mix.toml)"))] = None,
    file: FileOption = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    from zerofactory.periods import Period
    from zerofactory.runs import scrap, scrap_charge

    found = scrap_charge.run(opened(workspace), scrap.Asked(Period.parse(period), file), mix)
    files = scrap_charge.write(found, out) if out else []
    print_json(found.as_json()) if as_json else _print_charge(found)
    if not as_json and files:
        print_line(say(f"已写 {files[0]}; 配料: zf material mix --file {files[0]}", f"Wrote {files[0]}; mix it: zf material mix --file {files[0]}"))  # fmt: skip
    if not found.is_sound:
        raise typer.Exit(EXIT_FAULTY)


def _print_account(found: Account, by: str) -> None:
    from zerofactory.errors import Text

    print_problems(found.warnings)
    source = say("账本的检验记录", "inspected parts of the book") if found.source == "book" else found.source
    print_line(f"[bold]{read(found.given.form.title.text)}[/bold]  {source}")
    print_table(
        say(f"{found.asked.period.label} 报废与返工(按{KEYS[by][0]}; 括号内为计数的 95 % 区间)", f"{found.asked.period.label} scrap and rework by {KEYS[by][1]} (95 % interval of the counts)"),
        [(say(*KEYS[by]), "left"), (say("报废", "scrap"), "right"), (say("返工", "rework"), "right"), (say("投料 kg", "put in kg"), "right"), ("kWh", "right"), ("Nm³", "right"), (say("元", "CNY"), "right"), ("kgCO2e", "right")],
        [*(_group(one, read(found.names[by].get(one.key, Text(one.key, one.key)))) for one in found.by[by]), _group(found.total, say("合计", "total"))],
    )  # fmt: skip
    worth, loss = found.total.worth, found.total.loss
    kinds = {name: grams / 1000.0 for name, grams in worth.gco2e.items()}
    print_line(say(f"其中材料 {kinds['material']:,.0f}、能源 {kinds['energy']:,.0f}、废物 {kinds['waste']:,.0f} kgCO2e; 外售废料使他处避免 {worth.avoided_gco2e / 1000:,.0f} kgCO2e(单列, 不抵减)。",
                   f"Of it material {kinds['material']:,.0f}, energy {kinds['energy']:,.0f}, waste {kinds['waste']:,.0f} kgCO2e; sold scrap spares others {worth.avoided_gco2e / 1000:,.0f} kgCO2e (apart, never netted)."))  # fmt: skip
    put_in, kept = sum(loss.put_in_kg.values()), sum(loss.kept_kg.values())
    back, lost = sum(loss.recovered_kg.values()), sum(loss.lost_kg.values())
    print_line(say(f"质量平衡: 投入 {put_in:,.1f} = 留在件上 {kept:,.1f} + 回收 {back:,.1f} + 损失 {lost:,.1f} kg。",
                   f"Mass: {put_in:,.1f} put in = {kept:,.1f} kept + {back:,.1f} recovered + {lost:,.1f} lost, in kg."))  # fmt: skip
    for carrier, share in found.shares.items():
        print_line(say(f"这些{ENERGY[carrier][0]}已在账上(表计), 占本期的 {100 * share:.3f} %, 不再加。", f"Its {ENERGY[carrier][1]} is in the book already (meters): {100 * share:.3f} % of the period, not added."))  # fmt: skip
    _print_rates(found)
    _print_book(found)


def _group(one: Group, title: str) -> tuple[str, ...]:
    return (
        title, f"{one.scrapped:,}", f"{one.reworked:,}", f"{one.mass_kg.value:,.0f}", f"{one.electricity_kwh.value:,.0f}",
        f"{one.natural_gas_nm3.value:,.0f}", f"{one.cny.value:,.0f}", _held(one.kgco2e),
    )  # fmt: skip


def _held(one: Counted) -> str:
    return f"{one.value:,.0f} ({one.low:,.0f}–{one.high:,.0f})"


def _print_rates(found: Account) -> None:
    titles = {one.id: read(one.name.text) for one in found.given.form.parts}
    rows = [
        (titles[one.part], say("检验", "inspected") if one.basis == "inspected" else say("产量", "output"), f"{one.scrap.of:,}", *(f"{100 * share.value:.3f} ({100 * share.low:.3f}–{100 * share.high:.3f})" for share in (one.scrap, one.rework)))
        for one in found.rates
    ]  # fmt: skip
    if rows:
        print_table(
            say("比率 %", "rates %"),
            [(say("零件", "part"), "left"), (say("分母", "of"), "left"), (say("件数", "pieces"), "right"), (say("报废", "scrap"), "right"), (say("返工", "rework"), "right")],
            rows,
        )  # fmt: skip


def _print_book(found: Account) -> None:
    book = found.reconciled
    if not book.lines:
        return
    print_table(
        say("与账本核对(kg)", "beside the book (kg)"),
        [(say("排放源", "source"), "left"), (say("月", "month"), "left"), (say("种类", "kind"), "left"), (say("按件数", "counted"), "right"), (say("凭证", "documents"), "right"), (say("差", "difference"), "right"), (say("状态", "state"), "left")],
        [
            (one.source, one.period, say(*BOOKED[one.kind]), f"{one.counted_kg:,.0f}", f"{one.booked_kg:,.0f}", f"{one.difference_kg:,.0f}", say(*STATES[one.state]) + (say(" 矛盾!", " contradicts!") if one.contradicts else ""))
            for one in book.lines
        ],
    )  # fmt: skip
    if book.to_book:
        print_line(say(f"{len(book.to_book)} 行没有凭证, 入账将增加 {book.gco2e / 1e6:,.3f} tCO2e(--out 写出)。", f"{len(book.to_book)} lines have no document; booking them adds {book.gco2e / 1e6:,.3f} tCO2e (--out writes them)."))  # fmt: skip
    else:
        print_line(say("没有需要补入账的。", "Nothing is left to be booked."))


def _print_values(found: Values) -> None:
    titles = {one.id: read(one.name.text) for one in found.given.form.parts}
    rows = []
    for one in found.parts:
        for kind, row in one.point.items():
            each = one.each[kind]
            rows.append((titles[one.part], say(*KINDS[kind]), f"{each['cny'].value:,.1f}", f"{each['kgco2e'].value:,.1f}", *(f"{row[name].value:,.0f} ({row[name].low:,.0f} … {row[name].high:,.0f})" for name in ("cny", "kgco2e"))))  # fmt: skip
    print_table(
        say(f"{found.asked.period.label}: 多一个百分点值多少(95 % 区间: 计数与各数的上下限)", f"{found.asked.period.label}: what one point more is worth (95 %: counts and bounds of figures)"),
        [(say("零件", "part"), "left"), (say("种类", "kind"), "left"), (say("元/件", "CNY each"), "right"), (say("kg/件", "kg each"), "right"), (say("元", "CNY"), "right"), ("kgCO2e", "right")],
        rows,
    )  # fmt: skip
    behind = [(titles[one.part], station, row) for one in found.parts if len(one.stations) > 1 for station, row in one.stations.items()]  # fmt: skip
    if behind:
        print_table(
            say("报废一个百分点, 按在哪个工位之后报废", "one point of scrap, by the station behind which it is scrapped"),
            [(say("零件", "part"), "left"), (say("工位", "station"), "left"), (say("元", "CNY"), "right"), ("kgCO2e", "right")],
            [(part, station, *(f"{row[name].value:,.0f} ({row[name].low:,.0f} … {row[name].high:,.0f})" for name in ("cny", "kgco2e"))) for part, station, row in behind],
        )  # fmt: skip
    for one in found.parts:
        _missing(one, titles[one.part])


def _missing(one: PartValue, title: str) -> None:
    for kind, why in one.missing.items():
        print_line(f"· {title}, {say(*KINDS[kind])}: {read(why)}")


def _print_moved(moved: Sequence[Moved], days: int) -> None:
    if not moved:
        return

    def told(one: Moved, name: str, digits: int) -> str:
        found = one.differences.get(name)
        return "–" if found is None else f"{found.mean:+,.{digits}f} ±{found.half:,.{digits}f}"

    print_table(
        say(f"孪生 {days} 天, 同一组随机数: 变动一个百分点的差", f"twin, {days} days, same random numbers: difference of one point"),
        [(say("工位", "station"), "left"), (say("点", "points"), "right"), (say("报废件", "scrapped"), "right"), (say("产出", "output"), "right"), ("kWh", "right"), (say("kgCO2e/件", "kgCO2e each"), "right")],
        [(read(one.title), f"{100 * one.before_fraction:g} {one.step:+d}", f"{one.scrapped:+,.1f}", told(one, "output", 1), told(one, "electricity", 0), told(one, "kgco2e_per_piece", 2)) for one in moved],
    )  # fmt: skip


def _print_threshold(found: Chosen) -> None:
    share, words = found.defective_fraction, {"cny": ("元", "CNY"), "kgco2e": ("kgCO2e", "kgCO2e")}
    rows: list[tuple[str, ...]] = []
    for name, unit in words.items():
        for title, table in ((say("最省", "least"), found.best), (say("现行", "present"), found.present)):
            if name in table:
                one = table[name]
                rows.append((say(*unit), title, f"{one.threshold:.6g}", f"{100 * one.escape.value:.2f} ({100 * one.escape.low:.2f}–{100 * one.escape.high:.2f})", f"{100 * one.false_reject.value:.2f} ({100 * one.false_reject.low:.2f}–{100 * one.false_reject.high:.2f})", f"{one.cost:,.1f} ({one.cost_low:,.1f}–{one.cost_high:,.1f})"))  # fmt: skip
    print_table(
        say(f"每千件的损失, 缺陷件占 {100 * share:.3f} %", f"loss of a thousand parts, {100 * share:.3f} % of them defective"),
        [(say("以", "in"), "left"), ("", "left"), (say("阈值", "threshold"), "right"), (say("漏检 %", "escapes %"), "right"), (say("误判 %", "false rejects %"), "right"), (say("每千件", "a thousand"), "right")],
        rows,
    )  # fmt: skip
    for name, unit in words.items():
        if name not in found.best:
            print_line(say(f"以{unit[0]}计, 漏检比检出更便宜, 检测不划算, 不给阈值。", f"In {unit[1]} an escape costs less than a part found: no threshold."))  # fmt: skip


def _print_recovered(found: Recovered) -> None:
    statuses = {
        "verified": ("已核实", "verified"),
        "secondary": ("二手", "secondary"),
        "placeholder": ("占位", "placeholder"),
    }
    print_table(
        say("金属回收率 %", "recovery of metals %"),
        [(say("金属(去向)", "metal (to where)"), "left"), ("%", "right"), (say("范围", "range"), "right"), (say("账上", "book"), "right"), (say("目标", "target"), "right"), (say("状态", "status"), "left")],
        [(read(one.rate.title), f"{100 * one.fraction:.1f}", "–" if one.rate.low is None or one.rate.high is None else f"{100 * one.rate.low:.0f}–{100 * one.rate.high:.0f}", _percent(one.booked_fraction), _percent(one.target_fraction), say(*statuses[one.rate.status])) for one in found.rates],
    )  # fmt: skip
    for one in found.rates:
        if one.rate.status == "verified":
            print_line(say(f"· {one.rate.title.zh} {100 * one.fraction:.1f} %({one.rate.factor or '–'}): {one.rate.of.zh}。出处: {one.rate.source}", f"· {one.rate.title.en} {100 * one.fraction:.1f} % ({one.rate.factor or '–'}): {one.rate.of.en}. Source: {one.rate.source}"))  # fmt: skip
    titles = {one.id: read(one.name.text) for one in found.given.form.materials}
    print_table(
        say(f"{found.asked.period.label} 报废件的材料(kgCO2e: 截断与闭环)", f"{found.asked.period.label} material of scrapped pieces (kgCO2e: cut-off and closed loop)"),
        [(say("材料", "material"), "left"), (say("去向", "fate"), "left"), (say("废料 kg", "scrap kg"), "right"), (say("回收", "recovered"), "right"), (say("损失", "lost"), "right"), (say("截断", "cut-off"), "right"), (say("闭环", "closed"), "right"), (say("他处避免", "avoided"), "right")],
        [(titles[one.material], say(*FATES[one.fate]), f"{one.scrap_kg:,.0f}", f"{one.recovered_kg:,.0f}", f"{one.lost_kg:,.0f}", f"{one.cut_off_kgco2e:,.0f}", f"{one.closed_loop_kgco2e:,.0f}", "–" if one.avoided_kgco2e is None else f"{one.avoided_kgco2e:,.0f}") for one in found.materials],
    )  # fmt: skip
    if found.loop is not None:
        loop = found.loop
        print_line(say(f"措施“{loop.title.zh}”设想 {100 * loop.share_fraction:.0f} % 的铝材改为再生 {100 * loop.recycled_fraction:.0f} %, 需回收 {loop.needed_kg:,.0f} kg; 报废件只有 {loop.available_kg:,.0f} kg, 够 {loop.carried_kg:,.0f} kg 铝材, 省 {loop.saved_kgco2e:,.0f} kgCO2e; 其余须来自边角料。",
                       f"The measure '{loop.title.en}' presumes {100 * loop.share_fraction:.0f} % of the aluminium at {100 * loop.recycled_fraction:.0f} % recycled: {loop.needed_kg:,.0f} kg must come back; scrapped pieces give {loop.available_kg:,.0f} kg, enough for {loop.carried_kg:,.0f} kg and {loop.saved_kgco2e:,.0f} kgCO2e; offcuts must give the rest."))  # fmt: skip


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _print_charge(found: Recharged) -> None:
    for plan in (found.with_scrap, found.without):
        if plan.conflict is not None:
            print_line(read(plan.conflict.sentence()))
            return
    for one in found.returned:
        print_line(say(f"{one.title.zh}: {one.available_kg:,.0f} kg, 在炉料“{one.row}”中{'(原已含)' if one.held else '(新增)'}。", f"{one.title.en}: {one.available_kg:,.0f} kg, in the charge '{one.row}' ({'held already' if one.held else 'new'})."))  # fmt: skip
    rows: Mapping[str, Any] = found.bought_kg
    print_table(
        say("外购炉料(kg)", "charges bought (kg)"),
        [(say("炉料", "charge"), "left"), (say("不用报废件", "without"), "right"), (say("用报废件", "with"), "right"), (say("少买", "saved"), "right")],
        [(name, f"{pair[1]:,.0f}", f"{pair[0]:,.0f}", f"{pair[1] - pair[0]:,.0f}") for name, pair in rows.items()]
        + [(say("合计", "total"), *(f"{sum(pair[place] for pair in rows.values()):,.0f}" for place in (1, 0)), f"{found.saved_bought_kg:,.0f}"), (say("其中原生", "primary"), *(f"{found.primary_kg[place]:,.0f}" for place in (1, 0)), f"{found.saved_primary_kg:,.0f}")],
    )  # fmt: skip
    print_line(say(f"省 {found.without.cost_cny - found.with_scrap.cost_cny:,.0f} 元。", f"{found.without.cost_cny - found.with_scrap.cost_cny:,.0f} CNY saved."))  # fmt: skip
    if found.booked is not None:
        print_line(say(f"在账上(同一套因子): 少 {found.booked.saved_gco2e / 1e6:,.3f} tCO2e。", f"In the book (the same factors): {found.booked.saved_gco2e / 1e6:,.3f} tCO2e less."))  # fmt: skip
