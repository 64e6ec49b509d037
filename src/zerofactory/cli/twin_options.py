"""Options that commands of the twin share."""

from __future__ import annotations

from typing import Annotated

import typer

from zerofactory.cli.language import say

FirstOption = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help=say("首日(默认下周一)", "first day (default: next Monday)"))
]
StartOption = Annotated[
    str | None,
    typer.Option("--from", metavar="DAY|now|MOMENT", help=say("首日(默认下周一); now 或时刻: 从产线当时的状态起", "first day (default: next Monday); now or a moment: from the state of the line then")),
]  # fmt: skip
DaysOption = Annotated[int, typer.Option("--days", min=1, max=370, help=say("天数", "days"))]
RunsOption = Annotated[int, typer.Option("--runs", min=1, max=200, help=say("重复次数", "replications"))]
SeedOption = Annotated[int, typer.Option("--seed", help=say("随机种子", "seed of the random numbers"))]
