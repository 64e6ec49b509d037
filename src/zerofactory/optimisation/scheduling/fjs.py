"""Read flexible job shops in the text form of the literature (.fjs): ``jobs machines [mean]``, then a line a job.

Each job: how many operations; each operation: how many machines, then (machine from 1, duration). Times have no unit; a tick is
a minute here.
"""

from __future__ import annotations

from zerofactory.errors import FaultyData, Problem, Text
from zerofactory.optimisation.scheduling.problem import Job, Machine, Mode, Operation, ScheduleProblem

HINT = Text("格式: 首行“工单数 设备数”, 之后每行一个工单。", "First line: jobs machines; then one line a job.")


def parse(text: str, name: str = "") -> ScheduleProblem:
    """Return the problem of a text; raise `FaultyData` with every faulty line.

    Examples
    --------
    >>> found = parse("1 2\\n2 1 1 5 2 1 4 2 3\\n")
    >>> [(one.id, [(m.machine, m.duration_ticks) for m in one.modes]) for one in found.jobs[0].operations]
    [('J1-1', [('M1', 5)]), ('J1-2', [('M1', 4), ('M2', 3)])]
    """
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines or len(lines[0][1]) < 2 or not all(part.isdigit() for part in lines[0][1][:2]):
        raise FaultyData([_fault(name, 1, "首行应为“工单数 设备数”。", "The first line should be: jobs machines.")])
    jobs_wanted, machine_count = (int(part) for part in lines[0][1][:2])
    problems: list[Problem] = []
    jobs: list[Job] = []
    for number, parts in lines[1:]:
        job = _job(parts, (name, number), (len(jobs) + 1, machine_count), problems)
        jobs.append(job)
    if len(jobs) != jobs_wanted:
        problems.append(_fault(name, 1, f"首行说 {jobs_wanted} 个工单, 有 {len(jobs)} 行。", f"The first line says {jobs_wanted} jobs, there are {len(jobs)} lines."))  # fmt: skip
    if problems:
        raise FaultyData(problems)
    machines = tuple(Machine(f"M{number}") for number in range(1, machine_count + 1))
    origin = {job.id: (name, number) for job, (number, _) in zip(jobs, lines[1:], strict=True)}
    return ScheduleProblem(machines, tuple(jobs), name=name, origin=origin)


def _job(parts: list[str], place: tuple[str, int], at: tuple[int, int], problems: list[Problem]) -> Job:
    """Return one job; what is wrong with its line goes to ``problems``."""
    (name, row), (number, machines) = place, at
    try:
        figures = [int(part) for part in parts]
    except ValueError:
        problems.append(_fault(name, row, "有不是整数的项。", "Something is not a whole number."))
        return Job(f"J{number}", ())
    operations, cursor = [], 1
    for index in range(figures[0]):
        count = figures[cursor] if cursor < len(figures) else -1
        pairs = figures[cursor + 1 : cursor + 1 + 2 * max(count, 0)]
        if count < 0 or len(pairs) < 2 * count:
            problems.append(
                _fault(name, row, f"第 {index + 1} 道工序不完整。", f"Operation {index + 1} is incomplete.")
            )
            return Job(f"J{number}", ())
        chosen = zip(pairs[::2], pairs[1::2], strict=True)
        if any(not 1 <= machine <= machines for machine in pairs[::2]):
            problems.append(_fault(name, row, f"第 {index + 1} 道工序的设备号不在 1–{machines} 内。", f"Operation {index + 1} names a machine outside 1–{machines}."))  # fmt: skip
        modes = tuple(Mode(f"M{machine}", ticks) for machine, ticks in chosen)
        operations.append(Operation(f"J{number}-{index + 1}", modes))
        cursor += 1 + 2 * count
    if cursor != len(figures):
        problems.append(_fault(name, row, f"行尾多出 {len(figures) - cursor} 项。", f"{len(figures) - cursor} figures too many."))  # fmt: skip
    return Job(f"J{number}", tuple(operations))


def _fault(name: str, row: int, zh: str, en: str) -> Problem:
    return Problem("schedule.fjs", Text(zh, en), HINT, file=name or None, row=row)
