"""What the command line itself says: help headings and wrong calls, in the user's language and with `--json` as JSON."""

from __future__ import annotations

import re
import sys
from difflib import get_close_matches
from typing import Any, NoReturn

import typer

from zerofactory.cli.language import language
from zerofactory.errors import Problem, Text
from zerofactory.wording import reason

UsageError: type[Exception] = typer.BadParameter.__bases__[0]

_HELP_ZH = {
    "Usage:": "用法:",
    "Options:": "选项:",
    "Arguments:": "参数:",
    "Commands:": "命令:",
    "[OPTIONS]": "[选项]",
    "COMMAND [ARGS]...": "命令 [参数]...",
    "Show this message and exit.": "显示本说明",
    "[required]": "[必填]",
    "[default:": "[默认:",
}
_PATHS = {
    "does not exist": "不存在",
    "is a file": "是文件, 应为文件夹",
    "is a directory": "是文件夹, 应为文件",
    "is not readable": "不可读",
    "is not writable": "不可写",
}


def in_language(command: Any) -> Any:
    """Let a command and those under it give their help in the user's language, without the types of Python; return it."""
    plain = command.get_help

    def get_help(ctx: Any) -> str:
        text = re.sub(r" <(?:str|int|path|list\[Path\])>", "", str(plain(ctx)))
        for en, zh in _HELP_ZH.items() if language() == "zh" else ():
            text = text.replace(en, zh)
        return text

    command.get_help = get_help
    for child in getattr(command, "commands", {}).values():
        in_language(child)
    return command


def leave(fault: Any) -> NoReturn:
    """Say what is wrong with a call and leave with exit code 2; a group called without a command shows its help."""
    from zerofactory.cli.output import EXIT_FAULTY
    from zerofactory.cli.output import leave as leave_with

    if type(fault).__name__ == "NoArgsIsHelpError":
        typer.echo(fault.message)
        sys.exit(EXIT_FAULTY)
    try:
        leave_with((_problem(fault),), EXIT_FAULTY, "--json" in sys.argv)
    except typer.Exit as done:
        sys.exit(done.exit_code)


def _problem(fault: Any) -> Problem:
    path = fault.ctx.command_path if fault.ctx else "zf"
    hint = Text(f"{path} -h 查看用法。", f"{path} -h shows how it is called.")
    parameter = getattr(fault, "param", None)
    name = getattr(fault, "param_hint", None) or (parameter.opts[0] if parameter else "")
    if parameter is not None and parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
    kind = type(fault).__name__
    if kind == "MissingParameter":
        return Problem("call.missing", Text(f"缺少 {name}。", f"{name} is missing."), hint)
    if kind == "NoSuchOption":
        near = ", ".join(fault.possibilities or ())
        tip = Text(f"是不是 {near}? {hint.zh}", f"Did you mean {near}? {hint.en}") if near else hint
        wrong = fault.option_name
        return Problem("call.unknown_option", Text(f"没有选项 {wrong}。", f"There is no option {wrong}."), tip)
    if kind == "BadParameter":
        value = _value(fault)
        said = Text(f"{name} 的值不对: {value.zh}。", f"{name}: {value.en}.")
        return Problem("call.bad_value", said if name else Text(f"{value.zh}。", f"{value.en}."), hint)
    return _unknown_command(fault, hint) or Problem("call.wrong", _wrong(fault.format_message()), hint)


def _value(fault: Any) -> Text:
    """Return what is wrong with a value: of what the schema of an option found, in our words."""
    message = str(fault.message).removeprefix("Value error, ").rstrip(".。")
    if "does not match the format" in message:
        given = message.partition("does not match")[0].strip()
        return Text(f"{given} 不是日期, 请写成 2025-03-31", f"{given} is not a date; write 2025-03-31")
    found = fault.__cause__.errors() if hasattr(fault.__cause__, "errors") else []
    if found and found[0]["type"] != "value_error":
        return reason(found[0])
    for said, zh in _PATHS.items():
        if message.endswith(said):
            return Text(f"{message.partition(' ')[2].removesuffix(said).strip()} {zh}", message)
    ours = not message.isascii() or language() == "en"  # a command says what is wrong in the user's language
    return Text(message, message) if ours else Text(reason({"type": "value_error"}).zh, message)


def _wrong(message: str) -> Text:
    """Return what is wrong with a call that typer tells in English only."""
    if message.startswith("Got unexpected extra argument"):
        extra = message.rpartition("(")[2].rstrip(".").rstrip(")")
        return Text(f"多出的参数: {extra}。", f"Not expected here: {extra}.")
    if message.endswith("requires an argument."):
        option = message.partition("'")[2].partition("'")[0]
        return Text(f"选项 {option} 后面缺少值。", f"The option {option} needs a value.")
    return Text(f"命令写法不对: {message}", message)


def _unknown_command(fault: Any, hint: Text) -> Problem | None:
    known = sorted(getattr(getattr(fault.ctx, "command", None), "commands", {}))
    if not known or "No such command" not in fault.format_message():
        return None
    given = fault.format_message().partition("'")[2].rpartition("'")[0].partition("'")[0]
    near = ", ".join(get_close_matches(given, known, n=3)) or ", ".join(known)
    return Problem(
        "call.unknown_command",
        Text(f"没有命令“{given}”。", f"There is no command '{given}'."),
        Text(f"可选: {near}。{hint.zh}", f"Choose one of: {near}. {hint.en}"),
    )
