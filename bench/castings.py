"""Pictures of a made-up casting: a round part seen from above with rim, ribs and hub; good, or with one defect whose place is known.

A second world for inspection beside real photographs. Everything comes from the seed: each picture has its own place, turn, light,
tilt, skin and noise, which a detector must ignore, and at most one defect: blowhole, pinholes, scratch, burr, chip (an edge that is
missing) or sand (a patch of rough skin of the same grey).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DEFECTS = ("blowhole", "pinholes", "scratch", "burr", "chip", "sand")
UNITS = 300.0
"""All lengths below are in units of which the picture has 300 on a side; greys are of 0 … 255."""
RADIUS = 128.0


@dataclass(frozen=True, slots=True)
class Casting:
    """One picture (side × side × 3) and where its defect is."""

    pixels: NDArray[np.uint8]
    mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Stage:
    """The part in a picture: distances from its middle along and across, polar, and where a defect would be."""

    random: np.random.Generator
    side: int
    x: Floats
    y: Floats
    turn: float
    light: float
    where: float
    size: float

    @property
    def r(self) -> Floats:
        return np.hypot(self.x, self.y)

    @property
    def a(self) -> Floats:
        return np.arctan2(self.y, self.x) + self.turn

    def cloud(self, scale: float) -> Floats:
        """Return noise of one size of grain, of spread one."""
        from scipy.ndimage import gaussian_filter

        noise = gaussian_filter(self.random.normal(size=(self.side, self.side)), scale * self.side / UNITS, mode="wrap")
        return np.asarray(noise / noise.std())


def casting(seed: int, defect: str = "", side: int = 300) -> Casting:
    """Return a picture of a casting."""
    from scipy.ndimage import gaussian_filter

    random = np.random.default_rng([seed, *map(ord, defect)])
    down, right = np.mgrid[:side, :side] * UNITS / side
    stage = _Stage(
        random, side, right - random.normal(150, 3), down - random.normal(150, 3), random.uniform(-0.2, 0.2),
        random.uniform(-np.pi, np.pi), random.uniform(-np.pi, np.pi), random.uniform(0.6, 1.6),
    )  # fmt: skip
    outline, at_edge = _outline(stage, defect)
    grey = _relief(stage) + 4 * stage.cloud(1) + 4 * stage.cloud(3) + 3 * stage.cloud(12)
    change, inside = _surface(stage, defect)
    glare = random.uniform(0, 26) * np.exp(-((stage.x - 70 * np.cos(stage.light)) ** 2 + (stage.y - 70 * np.sin(stage.light)) ** 2) / 2888)  # fmt: skip
    part = _below(stage.r, outline, 1.3)
    floor = random.normal(60, 5) + 5 * stage.cloud(14) + 3 * stage.cloud(1)
    far = np.hypot(stage.x - 5 * np.cos(stage.light), stage.y - 5 * np.sin(stage.light))
    floor -= 22 * np.exp(-(((far - RADIUS) / 6) ** 2))
    image = part * (grey + change + glare) + (1 - part) * floor
    slope = random.uniform(0, 0.14) * (np.cos(stage.light) * stage.x + np.sin(stage.light) * stage.y) / 150
    image = image * (1 + slope) * random.uniform(0.88, 1.12) + random.uniform(-6, 6)
    image = gaussian_filter(image, random.uniform(0.4, 0.8) * side / UNITS) + random.normal(0, 2, image.shape)
    grey8 = np.clip(image, 0, 255).astype(np.uint8)
    return Casting(np.repeat(grey8[:, :, None], 3, axis=2), at_edge | inside)


def _below(values: Floats, limit: Floats | float, soft: float) -> Floats:
    """Return 1 where values are below a limit and 0 above, with a soft edge."""
    return np.asarray(1.0 / (1.0 + np.exp(np.clip((values - limit) * soft, -50, 50))))


def _outline(stage: _Stage, defect: str) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the radius of the part in each direction, and where a burr or a chip is."""
    whole = RADIUS + stage.random.normal(0, 1) + 0.5 * np.sin(5 * stage.a + stage.random.uniform(0, 6))
    away = np.abs(np.angle(np.exp(1j * (stage.a - stage.where))))
    if defect == "chip":
        cut = np.maximum(0, 9 * stage.size * (1 - (away / (0.12 * stage.size)) ** 2))
        there = whole - cut * (1 + 0.3 * stage.cloud(3))
        return there, (stage.r > there) & (stage.r < whole)
    if defect == "burr":
        grown = np.maximum(0, 7 * stage.size * (1 - (away / (0.10 * stage.size)) ** 2))
        there = whole + grown * (1 + 0.4 * stage.cloud(2))
        return there, (stage.r > whole) & (stage.r < there)
    return whole, np.zeros(whole.shape, dtype=bool)


def _relief(stage: _Stage) -> Floats:
    """Return the grey of a good part: rim, plate, six bent ribs, hub with turning marks, bore and three bolt holes."""
    r = stage.r
    plate = _below(r, 108, 0.7) - _below(r, 52, 0.7)
    grey = 118 + 30 * (1 - _below(r, 112, 0.7)) - 22 * plate + 26 * _below(r, 48, 0.7) - 70 * _below(r, 24, 0.7)
    bent = np.angle(np.exp(6j * (stage.a - 0.5 * (r - 50) / 60))) / 6
    grey = grey + 34 * np.exp(-((bent * r / 4.5) ** 2)) * (_below(r, 106, 0.7) - _below(r, 54, 0.7))
    grey = grey + 3 * np.sin(2.1 * r + stage.random.uniform(0, 6)) * (_below(r, 48, 0.7) - _below(r, 26, 0.7))
    for bolt in range(3):
        angle = 2 * np.pi * bolt / 3 - stage.turn
        grey = grey - 55 * _below(np.hypot(stage.x - 36 * np.cos(angle), stage.y - 36 * np.sin(angle)), 5, 1.5)
    return np.asarray(grey)


def _surface(stage: _Stage, defect: str) -> tuple[Floats, NDArray[np.bool_]]:
    """Return what a defect of the surface adds to the grey, and where it is."""
    random = stage.random
    at = random.uniform(56, 104)
    x, y = stage.x - at * np.cos(stage.where), stage.y - at * np.sin(stage.where)
    far = np.hypot(x, y) * np.clip(1 + 0.35 * stage.cloud(3), 0.4, 2)
    if defect == "blowhole":
        wide = 4.2 * stage.size
        hole = _below(far, wide, 1.5)
        rim = 14 * np.exp(-((np.hypot(x, y) - wide - 1) ** 2) / 3) * (np.cos(np.arctan2(y, x) - stage.light) > 0)
        return rim - hole * random.uniform(30, 60), hole > 0.5
    marks = np.zeros_like(x)
    if defect == "pinholes":
        for _ in range(int(random.integers(5, 14))):
            off = (x - random.normal(0, 11)) ** 2 + (y - random.normal(0, 11)) ** 2
            marks = np.maximum(marks, np.exp(-off / random.uniform(1, 3)))
        return -45 * marks, marks > 0.3
    if defect == "scratch":
        course = random.uniform(0, np.pi)
        along, across = x * np.cos(course) + y * np.sin(course), y * np.cos(course) - x * np.sin(course)
        marks = np.exp(-((across + 0.006 * along**2) ** 2) / 1.6) * (np.abs(along) < 20 * stage.size)
        return random.choice([-1.0, 1.0]) * random.uniform(22, 40) * marks, marks > 0.3
    if defect == "sand":
        marks = np.clip(1.4 - far / (9 * stage.size), 0, 1)
        return marks * (14 * stage.cloud(0.8) - 8), marks > 0.3
    return marks, np.zeros(x.shape, dtype=bool)
