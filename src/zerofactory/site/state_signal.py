"""A signal that tells the state of a machine: a PLC tag, an OPC UA variable, a message, a row of a log, with what its codes mean.

    code in READINGS (as the device gives it) ─► `states` ─► state of the twin (`STATE_NAMES`), or that nothing is known

A reading holds until the next one. Codes are kept as they came, so that a wrong word in `states` can be mended afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from zerofactory.errors import Problem, Text
from zerofactory.site.locate import Path

STATE_NAMES = ("off", "warm_up", "idle", "standby", "working", "blocked", "failed", "setup")
UNKNOWN = "unknown"
MOST_CODE = 2_147_483_647
"""A code is a whole number of 32 bits, signed or not used below zero: what PLC and OPC UA number states with."""
_CODE = re.compile(r"^(0|[1-9]\d{0,9})$")


@dataclass(frozen=True, slots=True)
class StateSignal:
    """A signal of the state of one machine (or of a station as a whole).

    Parameters
    ----------
    states : mapping of code to state
        Whole numbers from 0 on, written as keys, each with a state of `STATE_NAMES`, or ``unknown``.
    words : mapping of text to code
        What stands for a code in files and messages that name states in words; a word is no number.
    holds_minutes : int, optional
        How long a reading tells the state when no other follows; left out: as `optimisation/twin/seen.toml` has it.
    """

    id: str
    name: Text
    states: Mapping[str, str]
    shop: str | None = None
    line: str | None = None
    words: Mapping[str, int] = field(default_factory=dict)
    holds_minutes: int | None = None

    @property
    def meaning(self) -> dict[int, str]:
        """The state of each code, in the order of the codes."""
        return dict(sorted((int(code), state) for code, state in self.states.items()))


def code_of(signal: StateSignal, given: object) -> float:
    """Return the number that a device or a file means: a word becomes its code, a number stays, anything else is NaN.

    Examples
    --------
    >>> press = StateSignal("S-1", Text("", ""), {"3": "working"}, words={"RUN": 3})
    >>> code_of(press, "RUN"), code_of(press, 3), code_of(press, "3"), code_of(press, "STOP")
    (3.0, 3.0, 3.0, nan)
    """
    if isinstance(given, bool):
        return float(given)
    if isinstance(given, int | float):
        return float(given)
    text = str(given).strip()
    if text in signal.words:
        return float(signal.words[text])
    try:
        return float(text)
    except ValueError:
        return float("nan")


def faults(signal: StateSignal, path: Path) -> Iterator[tuple[Path, Problem]]:
    """Yield what is wrong with the codes of a signal, each with its key path."""
    choices = ", ".join((*STATE_NAMES, UNKNOWN))
    if not signal.states:
        message = Text("没有状态代码。", "There are no codes.")
        yield (*path, "states"), Problem("site.no_codes", message, Text(f"请写 states = {{ \"3\" = \"working\" }}; 状态可选: {choices}。", f"Write states = {{ \"3\" = \"working\" }}; states: {choices}."))  # fmt: skip
    for code, state in signal.states.items():
        if not _CODE.match(code) or int(code) > MOST_CODE:
            message = Text(f"“{code}”不是状态代码。", f"'{code}' is no code of a state.")
            yield (*path, "states", code), Problem("site.bad_code", message, Text("代码是从 0 起的整数; 文字写在 words。", "Codes are whole numbers from 0 on; words go into 'words'."))  # fmt: skip
        if state not in (*STATE_NAMES, UNKNOWN):
            message = Text(f"没有状态“{state}”。", f"There is no state '{state}'.")
            yield (*path, "states", code), Problem("site.unknown_state", message, Text(f"可选: {choices}。", f"Choose one of: {choices}."))  # fmt: skip
    for word, number in signal.words.items():
        if str(number) not in signal.states:
            message = Text(f"文字“{word}”的代码 {number} 不在 states 里。", f"The code {number} of '{word}' is not in 'states'.")  # fmt: skip
            yield (*path, "words", word), Problem("site.bad_code", message, Text(f"可选: {', '.join(signal.states)}。", f"Choose one of: {', '.join(signal.states)}."))  # fmt: skip
        if not word or word != word.strip():
            message = Text(
                f"文字“{word}”是空的, 或首尾有空格。", f"The word '{word}' is empty, or has blanks around it."
            )
            yield (*path, "words", word), Problem("site.bad_code", message, Text("读数首尾的空格不算, 请去掉。", "Blanks around a reading do not count: leave them out."))  # fmt: skip
        elif _is_number(word):
            message = Text(f"“{word}”是数, 不能作文字。", f"'{word}' is a number, no word.")
            yield (*path, "words", word), Problem("site.bad_code", message, Text("请把代码写进 states。", "Write codes into 'states'."))  # fmt: skip
    if signal.holds_minutes is not None and not 1 <= signal.holds_minutes <= 527_040:
        message = Text("holds_minutes 应在 1 与 527040(一年)之间。", "holds_minutes should lie between 1 and 527040 (a year).")  # fmt: skip
        yield (*path, "holds_minutes"), Problem("site.out_of_range", message, Text("请改正。", "Mend it."))


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
