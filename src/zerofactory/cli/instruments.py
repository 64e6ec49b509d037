"""Commands of certificates, credits and allowances: import, show, reserve, retire, release, expire, calendar and more."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened
from zerofactory.cli.output import door, print_json, print_line, print_problems, print_table, tonnes

ClaimArgument = Annotated[str, typer.Argument(metavar="CLAIM", help=say("主张编号, 如 C0001", "claim, e.g. C0001"))]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help=say("原因", "reason"))]
UseOption = Annotated[
    str,
    typer.Option(
        "--use",
        metavar="USE",
        help=say(
            "用途: scope2_market 覆盖外购电 | neutrality 抵消 | ets_compliance 履约 | product_claim 产品",
            "scope2_market | neutrality | ets_compliance | product_claim",
        ),
    ),
]
AmountOption = Annotated[
    int, typer.Option("--amount", metavar="N", help=say("数量(个, 即 MWh 或 tCO2e)", "units (MWh or tCO2e)"))
]
KindOption = Annotated[
    list[str] | None, typer.Option("--kind", metavar="KIND", help=say("权益种类, 可重复", "kind; may be repeated"))
]
BatchOption = Annotated[
    list[str] | None, typer.Option("--batch", metavar="ID", help=say("批次, 可重复", "batch; may be repeated"))
]
NeutralOption = Annotated[
    str, typer.Option("--standard", metavar="ID", help=say("碳中和标准(抵消时必填)", "neutrality standard (to offset)"))
]
BeneficiaryOption = Annotated[
    str,
    typer.Option(
        "--beneficiary", metavar="NAME", help=say("受益方(默认本企业)", "beneficiary (default: the reporter)")
    ),
]
ProductOption = Annotated[str, typer.Option("--product", metavar="ID", help=say("产品(产品主张)", "product"))]
ObligationOption = Annotated[
    int | None,
    typer.Option("--obligation", metavar="T", help=say("应清缴配额 tCO2(履约)", "allowances to surrender, tCO2")),
]
CertificateOption = Annotated[
    str, typer.Option("--certificate", metavar="NO", help=say("登记机构的注销凭证号", "the registry's certificate"))
]
IntoClosedOption = Annotated[
    bool, typer.Option("--into-closed", help=say("允许涉及已封存月份(修订后计入)", "let it touch sealed months"))
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    group = typer.Typer(no_args_is_help=True, help=say("绿证、碳信用、配额", "certificates, credits, allowances"))
    group.command("import", help=say("导入登记机构的导出表", "import registry exports"))(import_)
    group.command("show", help=say("持仓、主张、历史", "position, claims, history"))(show)
    group.command("reserve", help=say("为一项主张预留", "reserve for a claim"))(reserve)
    group.command("retire", help=say("注销并主张", "retire and claim"))(retire)
    group.command("claim", help=say("主张入账前已注销的单位", "claim units retired before"))(claim)
    group.command("settle", help=say("登记机构确认或驳回", "the registry confirms or refuses"))(settle)
    group.command("release", help=say("释放预留", "give back what is reserved"))(release)
    group.command("expire", help=say("核销过期单位", "write off expired units"))(expire)
    group.command("sell", help=say("登记售出", "book a sale"))(sell)
    group.command("cancel", help=say("核销而不主张", "cancel without a claim"))(cancel)
    group.command("withdraw", help=say("撤出误导入的批次", "take batches out that were imported by mistake"))(withdraw)
    group.command("take-back", help=say("冲回误登的主张", "take back a claim made by mistake"))(take_back)
    group.command("calendar", help=say("到期日历", "calendar of expiry"))(calendar)
    group.command("measure", help=say("登记减排措施的结果(降无可降)", "what became of a reduction measure"))(measure)
    group.command("evidence", help=say("登记声明的证据", "put evidence of a declaration on file"))(evidence)
    app.add_typer(group, name="instruments")


@door
def import_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help=say("导出表 csv 或 xlsx", "exports, csv or xlsx"))
    ],
    registry: Annotated[
        str,
        typer.Option(
            "--registry",
            metavar="ID",
            help="gec | ccer | cea | irec | go | verra | gold_standard | cdm | tree_planting",
        ),
    ],
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            "--beside", metavar="DIR", help=say("同集团其他厂区的工作区, 防重复", "workspaces of other sites")
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=say("只检查, 不写入", "check only"))] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import instrument_import

    done = instrument_import.run(opened(workspace), files, registry, dry_run=dry_run, sites=beside or ())
    if as_json:
        print_json(
            [
                {
                    "file": one.name,
                    "registry": one.registry,
                    "batches": one.batches,
                    "units": one.units,
                    "status": one.status,
                }
                for one in done
            ]
        )
        return
    words = {
        "imported": say("已导入", "imported"),
        "checked": say("已检查", "checked"),
        "already_imported": say("已导入过", "imported before"),
    }
    print_table(
        "",
        [(say("文件", "file"), "left"), (say("状态", "status"), "left"), (say("批次", "batches"), "right"), (say("单位", "units"), "left")],
        [(one.name, words[one.status], str(one.batches), _units(one.units)) for one in done],
    )  # fmt: skip


@door
def show(
    name: Annotated[
        str | None, typer.Argument(metavar="[ID]", help=say("批次或主张: 看它的历史", "batch or claim: its history"))
    ] = None,
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help=say("只看一种", "one kind only"))] = None,
    batches: Annotated[bool, typer.Option("--batches", help=say("列出批次", "list the batches"))] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import instrument_view as view

    context = opened(workspace)
    if name is not None:
        _show_history(view.history(context, name), as_json)
    elif batches:
        _show_batches(view.batches(context, kind), as_json)
    else:
        found = view.position(context, kind)
        print_json(found.as_json()) if as_json else _show_position(found)


def _show_history(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    print_table(
        say("历史", "history"),
        [(say("转移", "transfer"), "left"), (say("时间", "at"), "left"), (say("从→到", "from → to"), "left"), (say("数量", "amount"), "right"),
         (say("编号", "serials"), "left"), (say("主张", "claim"), "left"), (say("原因", "reason"), "left")],
        [(r["transfer"], r["at"][:10], _way(r), f"{r['amount']:,}", r["serials"], r["claim"] or "", r["reason"]) for r in rows],
    )  # fmt: skip


def _way(row: dict[str, Any]) -> str:
    from zerofactory.instruments.book import ACCOUNTS

    mark = {"posted": "", "pending": say(" (待确认)", " (pending)"), "void": say(" (作废)", " (void)")}[row["state"]]
    back = say(" (冲回)", " (taken back)") if row["reverses"] else ""
    return f"{read(ACCOUNTS[row['from']])}→{read(ACCOUNTS[row['to']])}{mark}{back}"


def _show_batches(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    print_table(
        say("批次", "batches"),
        [(say("批次", "batch"), "left"), (say("编号", "serials"), "left"), (say("数量", "amount"), "right"), (say("年份", "vintage"), "left"),
         (say("有效期止", "valid until"), "left"), (say("在哪里", "where"), "left")],
        [(r["batch"], r["serials"], f"{r['amount']:,}", r["vintage"], r["expires_on"] or "", _accounts(r["units"])) for r in rows],
    )  # fmt: skip


def _accounts(units: dict[str, int]) -> str:
    from zerofactory.instruments.book import ACCOUNTS

    return "; ".join(f"{read(ACCOUNTS[name])} {amount:,}" for name, amount in units.items() if amount)


def _show_position(found: Any) -> None:
    from zerofactory.instruments.kind import kind as kind_of
    from zerofactory.instruments.rule import USES

    print_table(
        say(f"{found.on} 持仓", f"position on {found.on}"),
        [(say("种类", "kind"), "left"), (say("单位", "unit"), "left"), (say("年份", "vintage"), "left"), (say("数量", "amount"), "right"),
         (say("在哪里", "where"), "left"), (say("成本 元", "cost CNY"), "right")],
        [(read(kind_of(one.kind).title), one.unit, str(one.vintage_year), f"{one.total:,}", _accounts(one.units),
          f"{one.cost_cny:,.2f}" if one.priced else "—") for one in found.lines],
    )  # fmt: skip
    print_table(
        say("主张", "claims"),
        [(say("主张", "claim"), "left"), (say("用途", "use"), "left"), (say("期间", "period"), "left"), (say("在哪里", "where"), "left"), (say("原因", "reason"), "left")],
        [(one.claim_id, read(USES[one.use]) + (f" · {one.standard}" if one.standard else ""), one.period, _accounts(held), one.reason)
         for one, held in found.claims],
    )  # fmt: skip
    if found.pending:
        print_line(say(f"等待登记机构确认: {found.pending}", f"waiting for the registry: {found.pending}"))


@door
def reserve(
    use: UseOption,
    amount: AmountOption,
    period: PeriodOption,
    reason: ReasonOption,
    kind: KindOption = None,
    batch: BatchOption = None,
    standard: NeutralOption = "",
    beneficiary: BeneficiaryOption = "",
    product: ProductOption = "",
    obligation: ObligationOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import instruments as run

    asked = _request((use, amount, period, reason), (kind, batch), (standard, beneficiary, product), obligation)
    _said(run.reserve(opened(workspace), asked), as_json)


def _request(
    what: tuple[str, int, str, str],
    units: tuple[list[str] | None, list[str] | None],
    more: tuple[str, str, str],
    obligation: int | None,
) -> Any:
    from zerofactory.instruments.retire import Wanted
    from zerofactory.periods import Period
    from zerofactory.runs.instruments import Request

    use, amount, period, reason = what
    wanted = Wanted(amount, tuple(units[0] or ()), tuple(units[1] or ()))
    return Request(use, Period.parse(period), wanted, reason, more[0], more[1], more[2], obligation)


@door
def retire(
    claim: ClaimArgument,
    certificate: CertificateOption = "",
    reason: ReasonOption = "",
    pending: Annotated[
        bool, typer.Option("--pending", help=say("登记机构尚未确认", "the registry has yet to confirm"))
    ] = False,
    into_closed: IntoClosedOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import instruments as run

    context = opened(workspace)
    _said(run.retire(context, claim, certificate, reason, pending=pending, into_closed=into_closed), as_json)


@door
def claim(
    use: UseOption,
    amount: AmountOption,
    period: PeriodOption,
    reason: ReasonOption,
    kind: KindOption = None,
    batch: BatchOption = None,
    standard: NeutralOption = "",
    beneficiary: BeneficiaryOption = "",
    product: ProductOption = "",
    obligation: ObligationOption = None,
    into_closed: IntoClosedOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import instruments as run

    asked = _request((use, amount, period, reason), (kind, batch), (standard, beneficiary, product), obligation)
    _said(run.claim(opened(workspace), asked, into_closed=into_closed), as_json)


@door
def settle(
    claim: ClaimArgument,
    refused: Annotated[bool, typer.Option("--refused", help=say("登记机构驳回", "the registry refused"))] = False,
    certificate: CertificateOption = "",
    reason: ReasonOption = "",
    into_closed: IntoClosedOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import instruments as run

    context = opened(workspace)
    _said(run.settle(context, claim, not refused, certificate, reason, into_closed=into_closed), as_json)


@door
def release(
    claim: ClaimArgument, reason: ReasonOption = "", workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    from zerofactory.runs import instruments as run

    _said(run.release(opened(workspace), claim, reason), as_json)


@door
def expire(
    on: Annotated[
        datetime | None,
        typer.Option(
            "--on", metavar="DATE", formats=["%Y-%m-%d"], help=say("截至日期(默认今天)", "day (default: today)")
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import instruments as run

    _said(run.expire(opened(workspace), on.date() if on else None), as_json)


@door
def sell(
    amount: AmountOption,
    reason: ReasonOption,
    kind: KindOption = None,
    batch: BatchOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.instruments.retire import Wanted
    from zerofactory.runs import instruments as run

    wanted = Wanted(amount, tuple(kind or ()), tuple(batch or ()))
    _said(run.sell(opened(workspace), wanted, reason), as_json)


@door
def cancel(
    amount: AmountOption,
    reason: ReasonOption,
    kind: KindOption = None,
    batch: BatchOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.instruments.retire import Wanted
    from zerofactory.runs import instruments as run

    wanted = Wanted(amount, tuple(kind or ()), tuple(batch or ()))
    _said(run.cancel(opened(workspace), wanted, reason), as_json)


@door
def withdraw(
    batches: Annotated[list[str], typer.Argument(metavar="BATCH...", help=say("批次", "batches"))],
    reason: ReasonOption,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import instruments as run

    _said(run.withdraw(opened(workspace), batches, reason), as_json)


@door
def take_back(
    claim: ClaimArgument,
    reason: ReasonOption,
    into_closed: IntoClosedOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.runs import instruments as run

    _said(run.take_back(opened(workspace), claim, reason, into_closed=into_closed), as_json)


def _said(done: Any, as_json: bool) -> None:
    if as_json:
        print_json(done.as_json())
        return
    words = {
        "reserve": say("已预留", "reserved"), "retire": say("已注销", "retired"), "claim": say("已主张", "claimed"),
        "settle": say("已了结", "settled"), "release": say("已释放", "released"), "expire": say("已核销过期", "written off"),
        "sell": say("已登记售出", "sold"), "cancel": say("已核销", "cancelled"), "withdraw": say("已撤出", "withdrawn"), "take_back": say("已冲回", "taken back"),
    }  # fmt: skip
    waiting = say(" (待登记机构确认)", " (pending)") if any(one.state == "pending" for one in done.transfers) else ""
    lead = f"{done.claim_id}: " if done.claim_id else ""
    print_line(f"{lead}{words[done.act]}{waiting} {_units(done.units) or say('没有', 'none')}")
    print_problems(done.warnings)


def _units(units: dict[str, int]) -> str:
    from zerofactory.instruments.kind import kind as kind_of

    return "; ".join(f"{read(kind_of(name).title)} {amount:,} {kind_of(name).unit}" for name, amount in units.items())


@door
def calendar(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    from zerofactory.instruments.kind import kind as kind_of
    from zerofactory.runs import instrument_view as view

    found = view.calendar(opened(workspace))
    if as_json:
        print_json([one.as_json() for one in found])
        return
    print_table(
        say("到期日历", "calendar of expiry"),
        [(say("有效期止", "valid until"), "left"), (say("剩余天数", "days left"), "right"), (say("批次", "batch"), "left"), (say("种类", "kind"), "left"),
         (say("年份", "vintage"), "left"), (say("数量", "units"), "right")],
        [(str(one.expires_on), f"{one.days_left:,}", one.batch_id, read(kind_of(one.kind).title), one.vintage, f"{one.units:,}") for one in found],
    )  # fmt: skip


@door
def measure(
    period: PeriodOption,
    name: Annotated[str, typer.Option("--measure", metavar="ID", help=say("措施编号", "id of the measure"))],
    outcome: Annotated[str, typer.Option("--outcome", metavar="OUTCOME", help="done | infeasible | open")],
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help=say("名称", "title"))] = "",
    reduction_tco2e: Annotated[
        float | None, typer.Option("--reduction", metavar="T", help=say("减排量 tCO2e", "what it saved, tCO2e"))
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help=say("证据文件", "evidence"))] = None,
    reason: ReasonOption = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.instruments.purpose import Outcome
    from zerofactory.periods import Period
    from zerofactory.runs import neutral as run

    grams = run.grams_of(reduction_tco2e)
    label = Period.parse(period).label
    told = Outcome(label, name, title, outcome, grams, reason, "", str(file) if file else "")
    row = run.record_measure(opened(workspace), told)
    if as_json:
        print_json(row)
        return
    saved = f" · {tonnes(grams)} tCO2e" if grams is not None else ""
    print_line(f"{row['reduction_id']}: {name} · {outcome}{saved}")


@door
def evidence(
    period: PeriodOption,
    topic: Annotated[str, typer.Option("--topic", metavar="TOPIC", help="plan | disclosure | boundary")],
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help=say("说明或网址", "text or address"))] = "",
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help=say("文件", "file"))] = None,
    standard: NeutralOption = "",
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import neutral as run

    row = run.put_on_file(opened(workspace), Period.parse(period), topic, text, file, standard or "*")
    print_json(row) if as_json else print_line(f"{row['evidence_id']}: {topic} · {row['text'] or row['file_name']}")
