"""What is said beside the line's state: signals that tell nothing, power that contradicts a signal, powers not fitted, readings too old."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from zerofactory.errors import Text
from zerofactory.periods import zone

MOST_NAMED = 6


class Seen(Protocol):
    """A station as it is seen."""

    @property
    def title(self) -> Text:
        """Its name."""
        ...

    @property
    def state(self) -> str | None:
        """Its state."""
        ...

    @property
    def quality(self) -> str:
        """How good the readings are that tell it."""
        ...

    @property
    def seen_until(self) -> datetime | None:
        """The end of the newest reading."""
        ...

    @property
    def signals(self) -> Mapping[str, str | None]:
        """The state of each of its signals."""
        ...

    @property
    def disagreement(self) -> Text | None:
        """Why its signal and its power do not go together."""
        ...


def notes(found: Sequence[Seen], fitted: bool, status: str, time_zone: str) -> tuple[Text, ...]:
    """Return what is to be said of the line."""
    told = [*_without_signal(found)]
    for one in found:
        if one.disagreement is not None:
            told.append(Text(f"{one.title.zh}: {one.disagreement.zh}", f"{one.title.en}: {one.disagreement.en}"))
    if not fitted:
        told.append(
            Text(
                f"功率取自 twin.toml({status}), 尚未用读数标定: zf twin calibrate --write。",
                f"Powers are those of twin.toml ({status}), not fitted to readings yet: zf twin calibrate --write.",
            )
        )
    old = [one for one in found if one.state is None and one.quality in ("stale", "missing")]
    if old and len(old) == len([one for one in found if one.quality != "unmetered"]):
        seen = max((one.seen_until for one in old if one.seen_until), default=None)
        until = "—" if seen is None else seen.astimezone(zone(time_zone)).strftime("%Y-%m-%d %H:%M")
        told.append(
            Text(
                f"最新读数到 {until}, 太旧, 状态不明; 可用 --at 回看。",
                f"The newest reading ends {until}, too long ago: no state is known; look back with --at.",
            )
        )
    return tuple(told)


def _without_signal(found: Sequence[Seen]) -> list[Text]:
    """Return one note that names the signals which tell no state."""
    names = [(one.title, name) for one in found for name, state in one.signals.items() if state is None]
    if not names:
        return []
    zh = "、".join(f"{title.zh} {name}" for title, name in names[:MOST_NAMED])
    en = ", ".join(f"{title.en} {name}" for title, name in names[:MOST_NAMED])
    more = Text(f" 等 {len(names)} 个", f" … {len(names)} in all") if len(names) > MOST_NAMED else Text("", "")
    return [
        Text(
            f"状态信号没有读数、太旧或为“不明”: {zh}{more.zh}; 有表计的按功率判断。",
            f"State signals without a reading, too old or 'unknown': {en}{more.en}; where there is a meter the power tells the state.",
        )
    ]
