"""One commanded asset: its setpoints walk along their ramps, its device hears our heartbeat, and it comes to its safe state.

    idle ── order ─► holding ── end of the plan, fault, lost permission, clean end ─► safe value sent ─► idle
                        └ connection lost ─► reconnect ─► safe value sent ─► idle (until the next plan)

Nothing is written without asking the gate right before; while a person has the asset in hand nothing is written at all.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from zerofactory.connectors.collect import Waits
from zerofactory.connectors.command_file import Channel, CommandRules, Wire
from zerofactory.connectors.command_log import Command, CommandLog
from zerofactory.connectors.connection import protocols
from zerofactory.connectors.device import Write
from zerofactory.connectors.link import Door, LinkFault, Surroundings
from zerofactory.connectors.sample import MICROSECONDS
from zerofactory.errors import Problem, Text

OVERRIDE = "override"
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Orders:
    """Setpoints of one plan: asset → action → value, and the moment (µs) from which on they no longer hold."""

    plan_id: str
    valid_until_us: int
    setpoints: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Control:
    """What a commanded asset may ask: whether it may be written to (None, or why not), the log, the waits of the plant."""

    gate: Callable[[str], str | None]
    log: CommandLog
    rules: CommandRules
    holding: Callable[[], None]


@dataclass(slots=True)
class _Moving:
    """One write on its way: where it is (unrounded), where it goes, what was sent last."""

    channel: Channel
    wished: float = 0.0
    target: float | None = None
    at: float = 0.0
    sent: float | None = None
    moved_at: float = 0.0
    cut: str = ""
    touched: bool = False


class Driven:
    """The device of one asset. `order` and `safe` are called by the dispatcher, `beat` on the beat."""

    def __init__(self, wire: Wire, around: Surroundings, control: Control, taken_over: bool = False) -> None:
        self.wire, self._around, self._control = wire, around, control
        self._door: Door | None = None
        self._moving = {channel.write.id: _Moving(channel, touched=taken_over) for channel in wire.channels}
        self._lock = asyncio.Lock()
        self._waits = Waits(control.rules.retry_first_seconds, control.rules.retry_longest_seconds)
        self._next_try = 0.0
        self._due: str | None = "taken_over" if taken_over else None
        self._told: str | None = None
        self._until_us, self._deadline, self._plan_id, self._count = 0, 0.0, "", 0
        self.holds = taken_over

    @property
    def every_seconds(self) -> float:
        """How often the device is looked after."""
        beat = self.wire.heartbeat
        return beat.every_seconds if beat is not None else self._control.rules.beat_seconds

    @property
    def safe_is_due(self) -> bool:
        """Whether the device should be in its safe state and is not known to be."""
        return self._due is not None

    async def order(self, orders: Orders) -> None:
        """Take new setpoints, and send the first step towards them. Never raises: what came of it is in the log."""
        async with self._lock:
            setpoints = orders.setpoints.get(self.wire.asset, {})
            wishes = [(moving, moving.channel.wish(setpoints)) for moving in self._moving.values()]
            named = [(moving, wish) for moving, wish in wishes if wish is not None]
            if not named:
                return
            reason = self._reason(orders, [wish for _, wish in named])
            if reason is not None:
                for moving, wish in named:
                    self._end(self._command(moving, orders.plan_id, wish).because("refused", reason))
                return
            try:
                await self._ready()
                await self._begin(orders)
            except LinkFault as fault:
                for moving, wish in named:
                    command = self._command(moving, orders.plan_id, wish)
                    self._end(command.because("failed", fault.problem.code.partition(".")[2], fault.problem.message))
                await self._lose(fault)
                await self._rest()
                return
            for moving, wish in named:
                if moving.target is None:
                    moving.moved_at = time.monotonic() - self.every_seconds
                moving.wished = wish
                moving.target, moving.cut = cut_to_limits(moving.channel.write, wish)
            await self._guarded(self._walk)
            await self._rest()

    async def beat(self) -> None:
        """Feed the watchdog, move along the ramps, end what has ended; after a lost connection try again."""
        async with self._lock:
            reason = self._control.gate(self.wire.asset)
            if reason == OVERRIDE:
                self._hands_off()
                return
            if not self.holds and self._due is None:
                return
            if self._due is None and reason is not None:
                self._due = reason
            if self._due is None and self._is_expired(self._until_us):
                self._due = "plan_expired"
            await self._guarded(self._tend)
            await self._rest()

    async def safe(self, why: str) -> bool:
        """Bring the safe state if the device was commanded; return whether nothing is left to do."""
        async with self._lock:
            if not self.holds and self._due is None:
                return True
            if self._control.gate(self.wire.asset) == OVERRIDE:
                return False
            self._due, self._next_try = self._due or why, 0.0
            await self._guarded(self._tend)
            await self._rest()
            return self._due is None

    async def content(self) -> float | None:
        """Return how full the device says its store is; None when it is not asked for or not shown."""
        if self.wire.content is None or self.wire.connection.device is None:
            return None
        async with self._lock:
            try:
                await self._ready()
                assert self._door is not None  # noqa: S101  (for the type checker)
                shown = await self._door.get(self.wire.station, self.wire.connection.device.point(self.wire.content))
            except LinkFault as fault:
                await self._lose(fault)
                return None
            finally:
                await self._rest()
        return shown if math.isfinite(shown) else None

    async def close(self) -> None:
        """Hang up."""
        door, self._door = self._door, None
        if door is not None:
            await door.close()

    async def dropped(self, error: Exception) -> None:
        """Take a fault of a library that nobody foresaw as a lost connection."""
        async with self._lock:
            said = f"{type(error).__name__}: {error}"
            await self._lose(_network(self.wire.connection.address, said))

    async def _rest(self) -> None:
        """Keep no connection to a device that we do not hold."""
        if not self.holds and self._due is None:
            await self.close()

    def _reason(self, orders: Orders, wishes: list[float]) -> str | None:
        if not all(math.isfinite(wish) for wish in wishes):
            return "not_a_number"
        if self._around.now_us() >= orders.valid_until_us:
            return "plan_expired"
        return self._control.gate(self.wire.asset)

    def _is_expired(self, until_us: int) -> bool:
        return self._around.now_us() >= until_us or time.monotonic() >= self._deadline

    def _hands_off(self) -> None:
        """Forget where the device stands: a person moves it. When the override ends it goes to its safe state first."""
        for moving in self._moving.values():
            moving.target = moving.sent = None
        if self.holds:
            self._due = "override_ended"

    async def _ready(self) -> None:
        """Connect where that is needed; bring the safe state where that is due."""
        if self._door is None:
            if time.monotonic() < self._next_try:
                raise _waiting(self.wire.connection.address)
            door = protocols()[self.wire.connection.protocol].door
            assert door is not None  # noqa: S101  (checked when commands.toml was read)
            self._door = door(self.wire.connection, self._around)
            try:
                await self._door.open()
            except (OSError, TimeoutError) as error:
                raise _network(self.wire.connection.address, str(error) or type(error).__name__) from error
            self._waits.reset()
        if self._due is not None:
            await self._bring_safe()

    async def _begin(self, orders: Orders) -> None:
        """Read where the device stands, say that we hold it, feed its watchdog."""
        assert self._door is not None  # noqa: S101  (for the type checker)
        for moving in self._moving.values():
            if moving.sent is None:
                write = moving.channel.write
                shown = await self._door.get(self.wire.station, write)
                known = math.isfinite(shown) and write.minimum <= shown <= write.maximum
                moving.at = shown if known else write.safe_value
        now = self._around.now_us()
        self._plan_id, self._until_us = orders.plan_id, orders.valid_until_us
        self._deadline = time.monotonic() + (orders.valid_until_us - now) / MICROSECONDS
        if not self.holds:
            self.holds = True
            self._control.holding()
        await self._feed()

    async def _tend(self) -> None:
        was_due = self._due is not None
        await self._ready()
        if not was_due and self.holds:
            await self._feed()
            await self._walk()

    async def _feed(self) -> None:
        beat = self.wire.heartbeat
        if beat is None or self._door is None:
            return
        if beat.way == "count":
            self._count = (self._count + 1) % beat.modulus
            await self._door.put(self.wire.station, beat.as_write(), float(self._count))
            return
        for moving in self._moving.values():
            if moving.sent is not None and moving.target is not None:
                await self._door.put(self.wire.station, moving.channel.write, moving.sent)

    async def _walk(self) -> None:
        """Send the next step of every write that is not where it should be."""
        for moving in self._moving.values():
            if moving.target is None:
                continue
            write, now = moving.channel.write, time.monotonic()
            reach = write.ramp_per_minute * min(now - moving.moved_at, 2.0 * self.every_seconds) / 60.0
            step = max(-reach, min(reach, moving.target - moving.at))
            moving.at, moving.moved_at = moving.at + step, now
            value = moving.target if math.isclose(moving.at, moving.target, abs_tol=1e-9) else moving.at
            value = inside(write, value)
            if value == moving.sent:
                continue
            cut = ",".join(filter(None, (moving.cut, "" if abs(moving.at - moving.target) < 1e-9 else "ramp")))
            command = self._command(moving, self._plan_id, moving.wished)
            if not await self._send(moving, replace(command, target=moving.target, sent=value, cut=cut)):
                self._due = self._due or "read_back"
                return

    async def _bring_safe(self) -> None:
        """Send the safe value of every write that was touched; the due stands until all of them show it."""
        why, well = self._due or "stopped", True
        for moving in self._moving.values():
            moving.target = None
            if not moving.touched:
                continue
            value = inside(moving.channel.write, moving.channel.write.safe_value)
            command = replace(self._command(moving, self._plan_id, None, "safe"), target=value, sent=value, reason=why)
            try:
                well = await self._send(moving, command.because("", why)) and well
            except LinkFault as fault:
                if not fault.stands:
                    raise
                self._around.tell(fault.problem.at(file=self.wire.asset))
                well = False
        if well:
            self._due = self._told = None
            self.holds = False
            for moving in self._moving.values():
                moving.touched, moving.at = False, moving.channel.write.safe_value
            self._control.holding()
            return
        problem = _not_safe(self.wire.asset)
        self._around.tell(problem)
        raise LinkFault("not_safe", problem.message, problem.hint, stands=True)

    async def _send(self, moving: _Moving, command: Command) -> bool:
        """Write, read again, compare; return whether the device shows what was sent."""
        reason = self._control.gate(self.wire.asset)
        if reason is not None and (command.kind == "setpoint" or reason == OVERRIDE):
            self._end(replace(command, sent=None).because("refused", reason))
            if reason == OVERRIDE:
                self._hands_off()
            self._due = self._due or (None if reason == OVERRIDE else reason)
            return command.kind == "setpoint"
        if not self._kept(command):
            self._due = self._due or "no_room"
            self._end(replace(command, sent=None).because("refused", "no_room"))
            return False
        assert self._door is not None and command.sent is not None  # noqa: S101, PT018  (for the type checker)
        write, moving.touched, moving.sent = moving.channel.write, True, None
        try:
            await self._door.put(self.wire.station, write, command.sent)
            shown = await self._settled(write, command.sent)
        except ValueError:
            self._due = self._due or "unfit"
            self._end(command.because("refused", "unfit"))
            return False
        except LinkFault as fault:
            self._end(command.because("failed", fault.problem.code.partition(".")[2], fault.problem.message))
            raise
        if not agrees(write, command.sent, shown):
            self._end(replace(command, read_back=shown).because("failed", "read_back"))
            self._around.tell(_differs(self.wire.asset, write, command.sent, shown))
            return False
        moving.sent = command.sent
        self._end(replace(command, read_back=shown, outcome="confirmed"))
        return True

    async def _settled(self, write: Write, sent: float) -> float:
        """Return what the device shows once it shows what was sent, or when its time to do so is over."""
        assert self._door is not None  # noqa: S101  (for the type checker)
        stop = time.monotonic() + write.settle_seconds
        while True:
            shown = await self._door.get(self.wire.station, write)
            if agrees(write, sent, shown) or time.monotonic() >= stop:
                return shown
            await asyncio.sleep(LOOK_SECONDS)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something with the device; a fault leads to its safe state, now if it can be reached, else when it comes back."""
        try:
            await work()
            if self._due is not None and self.holds:
                await self._ready()
        except LinkFault as fault:
            await self._lose(fault)
            if fault.stands and self._due is None and self.holds:
                self._due = "device_refused"
                await self._guarded(self._ready)
        except (OSError, TimeoutError) as error:
            await self._lose(_network(self.wire.connection.address, str(error) or type(error).__name__))

    async def _lose(self, fault: LinkFault) -> None:
        """Tell a fault; after a lost connection hang up, and have the safe state brought when it is back."""
        if fault.problem.code != "connectors.waiting":
            self._around.tell(fault.problem.at(file=self.wire.asset))
        if fault.stands:
            return
        for moving in self._moving.values():
            moving.target = moving.sent = None
        if self.holds and self._due is None:
            self._due = "reconnected"
        if self._door is not None:
            await self.close()
            self._next_try = time.monotonic() + self._waits.next()

    def _command(self, moving: _Moving, plan_id: str, wish: float | None, kind: str = "setpoint") -> Command:
        now, write = self._around.now_us(), moving.channel.write
        return Command(
            self._control.log.name(now), now, self.wire.asset, write.id, kind, write.unit, wish, None, None, None, "",
            "", "", "", "", plan_id,
        )  # fmt: skip

    def _kept(self, command: Command) -> bool:
        """Keep what is about to be sent. A full disk holds back setpoints, not the safe state."""
        try:
            self._control.log.begin(command)
        except OSError:
            return command.kind == "safe"
        return True

    def _end(self, command: Command) -> None:
        """Keep what came of a command; the same failure of the safe state again and again is kept once."""
        if command.kind == "safe" and command.outcome != "confirmed":
            said = f"{command.action}:{command.outcome}:{command.reason}"
            if said == self._told:
                return
            self._told = said
        try:
            self._control.log.end(command)
        except OSError:
            self._around.tell(_no_room(self.wire.asset))


def cut_to_limits(write: Write, wish: float) -> tuple[float, str]:
    """Return a wish within the limits of a write, and what cut it.

    Examples
    --------
    >>> cut_to_limits(Write("p", Text("", ""), "kW", -100, 100, 50, 0), 140.0)
    (100, 'maximum')
    """
    if wish > write.maximum:
        return write.maximum, "maximum"
    return (write.minimum, "minimum") if wish < write.minimum else (wish, "")


def inside(write: Write, value: float) -> float:
    """Return a value on the digits of the register, rounded so that it stays within the limits.

    Examples
    --------
    >>> inside(Write("p", Text("", ""), "kW", -0.0, 99.97, 50, 0, kind="uint16", scale=0.1), 99.97)
    99.9
    """
    if not write.digit:
        return value + 0.0
    steps = round(value / write.digit)
    if steps * write.digit > write.maximum + 1e-9:
        steps -= 1
    elif steps * write.digit < write.minimum - 1e-9:
        steps += 1
    return round(steps * write.digit, 9) + 0.0


def agrees(write: Write, sent: float, shown: float) -> bool:
    """Whether what a device shows is what was sent: within the tolerance and half a digit, or the precision of a float."""
    return abs(shown - sent) <= max(write.tolerance, write.digit / 2.0) + 1e-6 * max(1.0, abs(sent))


def _waiting(address: str) -> LinkFault:
    return LinkFault(
        "waiting", Text(f"{address} 断线, 等待重连。", f"{address} is lost; waiting to try again."), Text("", "")
    )


def _network(address: str, said: str) -> LinkFault:
    return LinkFault(
        "network",
        Text(f"{address} 网络故障: {said}", f"{address}, network fault: {said}"),
        Text("自动重连。", "Reconnects by itself."),
    )


def _differs(asset: str, write: Write, sent: float, shown: float) -> Problem:
    return Problem(
        "connectors.read_back",
        Text(
            f"{asset} 的“{write.title.zh}”下发 {sent:g}, 读回 {shown:g} {write.unit}; 转入安全状态。",
            f"{asset}: {write.title.en} was sent {sent:g}, shows {shown:g} {write.unit}; it goes to its safe state.",
        ),
        Text("请检查设备是否在远程模式、模板的比例与符号。", "Check remote mode, and scale and sign of the template."),
        file=asset,
    )


def _not_safe(asset: str) -> Problem:
    return Problem(
        "connectors.not_safe",
        Text(
            f"{asset} 的安全值未被设备确认, 继续重试。", f"{asset} has not confirmed its safe value; we go on trying."
        ),
        Text("请到现场检查该设备。", "Look at the device itself."),
        file=asset,
    )


def _no_room(asset: str) -> Problem:
    return Problem(
        "connectors.command_log",
        Text("下发记录写不进磁盘。", "The log of commands cannot be written."),
        Text("请清理磁盘; 期间不下发设定值。", "Make room; no setpoint is sent meanwhile."),
        file=asset,
    )
