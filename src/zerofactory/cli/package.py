"""Commands of the verification package: package, key new, key show; what zf verify FILE says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zerofactory.cli.language import read, say
from zerofactory.cli.options import JsonOption, PeriodOption, WorkspaceOption, opened
from zerofactory.cli.output import EXIT_BROKEN, door, print_json, print_line, print_problems, tonnes
from zerofactory.cli.progress import working

if TYPE_CHECKING:
    from zerofactory.runs.open_package import PackageVerdict

KeyFile = Annotated[Path, typer.Option("--out", metavar="FILE", help=say("密钥文件", "key file"))]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    app.command("package", help=say("把一个期间打成核查包", "put a period into a verification package"))(package)
    group = typer.Typer(no_args_is_help=True, help=say("签名密钥", "signing keys"))
    group.command("new", help=say("新建 Ed25519 密钥", "make an Ed25519 key"))(new)
    group.command("show", help=say("显示公钥和指纹", "show public key and fingerprint"))(show)
    app.add_typer(group, name="key")


@door
def package(
    period: PeriodOption,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=say("核查包(.zip)", "the package (.zip)"))],
    sign_key: Annotated[
        Path | None,
        typer.Option("--sign-key", metavar="FILE", help=say("签名密钥(见 zf key new)", "key (see zf key new)")),
    ] = None,
    with_evidence: Annotated[
        bool, typer.Option("--with-evidence", help=say("附凭证文件", "put the documents in"))
    ] = False,
    with_readings: Annotated[
        bool, typer.Option("--with-readings", help=say("附原始读数", "put the sealed readings in"))
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    from zerofactory.periods import Period
    from zerofactory.runs import package as run

    with working(say("正在打包……", "packaging …")):
        made = run.run(
            opened(workspace), Period.parse(period), out, run.Content(with_evidence, with_readings, sign_key)
        )
    if as_json:
        print_json({name: getattr(made, name) for name in made.__slots__})
        return
    print_line(
        say(
            f"核查包已写好: {made.file}({made.bytes / 1e6:.1f} MB, {made.members} 个成员, {made.months} 个月, {made.records:,} 条记录)。",
            f"Package written: {made.file} ({made.bytes / 1e6:.1f} MB, {made.members} members, {made.months} months, {made.records:,} records).",
        )
    )
    print_line(f"SHA-256 {made.sha256}")
    _print_signer(made.signed_by)


def _print_signer(fingerprint: str | None) -> None:
    if fingerprint:
        print_line(say(f"签名者公钥指纹 {fingerprint}", f"Signed; fingerprint of the key {fingerprint}"))
    else:
        print_line(
            say("未签名: 只能证明内容自洽, 不能证明出自何人。", "Not signed: it shows consistency, not who made it.")
        )


@door
def new(out: KeyFile, as_json: JsonOption = False) -> None:
    from zerofactory.store import signing

    _print_key(out, signing.new_key(out), as_json)


@door
def show(
    key: Annotated[Path, typer.Argument(metavar="FILE", help=say("密钥文件", "key file"))], as_json: JsonOption = False
) -> None:
    from zerofactory.store import signing

    _print_key(key, signing.public_key(key), as_json)


def _print_key(path: Path, public: str, as_json: bool) -> None:
    from zerofactory.store.signing import fingerprint

    if as_json:
        print_json({"file": str(path), "public_key": public, "fingerprint": fingerprint(public)})
        return
    print_line(say(f"密钥 {path}(仅本人可读; 请妥善保管)", f"Key {path} (readable by its owner only; keep it safe)"))
    print_line(say(f"公钥 {public}", f"Public key {public}"))
    print_line(say(f"指纹 {fingerprint(public)}", f"Fingerprint {fingerprint(public)}"))


def verify_file(path: Path, as_json: bool) -> None:
    """Verify a package and say what was found; leave with 1 when anything differs."""
    from zerofactory.errors import BookBroken, FaultyData
    from zerofactory.runs import open_package

    try:
        with working(say("正在重算核查包……", "recomputing the package …")):
            verdict = open_package.verify(path)
    except FaultyData as fault:
        if any(problem.code in ("package.no_file", "package.newer_version") for problem in fault.problems):
            raise
        raise BookBroken(fault.problems) from fault
    if as_json:
        print_json(verdict.as_json())
    else:
        _print_verdict(verdict)
    if not verdict.clean:
        raise typer.Exit(EXIT_BROKEN)


def _print_verdict(verdict: PackageVerdict) -> None:
    print_problems([*verdict.problems, *verdict.warnings])
    name = read(verdict.plant)
    if verdict.clean:
        print_line(
            say(
                f"核查包完好: {name} {verdict.period}, {verdict.months} 个封存月, {verdict.activities:,} 条活动, {verdict.records:,} 条记录仅凭包内资料全部重算一致。",
                f"The package is sound: {name}, {verdict.period}; {verdict.months} closed months, {verdict.activities:,} activities and {verdict.records:,} records recompute from the package alone.",
            )
        )
        print_line(
            say(
                f"范围一二合计(基于位置) {tonnes(verdict.total_gco2e)} tCO2e",
                f"Scopes 1 and 2 (location-based) {tonnes(verdict.total_gco2e)} tCO2e",
            )
        )
    print_line(say(f"账本指纹 {verdict.head}", f"Head of the book {verdict.head}"))
    _print_signer(verdict.signed_by)
