"""A simulated person who wears a motion sensor at the waist, and what the sensor reads while they move or rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]

ACTIVITIES = ("sitting", "standing", "walking", "upstairs", "downstairs", "running")
SAMPLE_RATE_HZ, STEPS, CHANNELS = 50, 128, 6

_TIME = np.arange(STEPS) / SAMPLE_RATE_HZ
_HARMONICS = np.arange(1, 7)
# Of the stride (two steps): strides a second, the amplitudes of forward, sideways and vertical acceleration in g, and
# of roll, pitch and yaw in 150 degrees a second; then how fast each falls with the harmonic.
_GAITS = {
    "walking": (0.95, (0.15, 0.11, 0.25), (0.14, 0.12, 0.19), 1.0),
    "upstairs": (0.82, (0.13, 0.12, 0.21), (0.13, 0.20, 0.16), 1.3),
    "downstairs": (1.0, (0.16, 0.13, 0.33), (0.18, 0.13, 0.16), 0.65),
    "running": (1.35, (0.32, 0.24, 0.85), (0.32, 0.31, 0.40), 1.0),
}
_LEAN_DEGREES = {"sitting": 24.0, "standing": 2.0, "walking": 4.0, "upstairs": 10.0, "downstairs": -1.0, "running": 8.0}
# Sideways, roll and yaw swing once a stride; the rest once a step.
_ONCE_A_STRIDE = np.array([False, True, False, True, False, True])


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """How one person moves and wears the sensor.

    Attributes:
        pace: factor on strides a second.
        vigor: factor on the amplitudes, one for each channel.
        limp: share of a step's motion that differs between left and right.
        profile: factor on each harmonic of each channel, (6, 6).
        phases: of each harmonic of each channel, in radians, (6, 6).
        lean_degrees: added to every posture.
        slouch: factor on how far sitting leans.
        mounting: rotation from the body to the sensor, (3, 3).
        bias: of the sensor, (6,).
    """

    pace: float
    vigor: Signal
    limp: float
    profile: Signal
    phases: Signal
    lean_degrees: float
    slouch: float
    mounting: Signal
    bias: Signal


def person(rng: np.random.Generator) -> Person:
    """Draw a person.

    Args:
        rng: decides everything about them.

    Returns:
        One person; two draws never agree.
    """
    # People resemble each other: phases scatter about those of a common gait.
    common = np.outer(np.linspace(0.3, 2.8, CHANNELS), _HARMONICS)
    return Person(
        pace=rng.normal(1, 0.07),
        vigor=np.exp(rng.normal(0, 0.16, CHANNELS)),
        limp=abs(rng.normal(0, 0.15)),
        profile=np.exp(rng.normal(0, 0.3, (CHANNELS, len(_HARMONICS)))),
        phases=common + rng.normal(0, 0.5, common.shape),
        lean_degrees=rng.normal(0, 4),
        slouch=rng.uniform(0.6, 1.4),
        mounting=_rotation(rng.normal(0, 4, 3)),
        bias=rng.normal(0, 0.01, CHANNELS),
    )


def window(rng: np.random.Generator, who: Person, activity: str) -> NDArray[np.float32]:
    """Return what the sensor reads in 2.56 s.

    Args:
        rng: decides moment, effort, fidgeting and noise.
        who: moves and wears the sensor.
        activity: one of ACTIVITIES.

    Returns:
        float32, (128, 6): acceleration in g, forward, sideways and up; then roll, pitch and yaw rate in units of
        150 degrees a second.
    """
    motion = _gait(rng, who, activity) if activity in _GAITS else _fidget(rng)
    lean = _LEAN_DEGREES[activity] * (who.slouch if activity == "sitting" else 1) + who.lean_degrees + rng.normal(0, 2)
    tilt = who.mounting @ _rotation(np.array([rng.normal(0, 2), lean, 0.0]))
    acceleration = (motion[:, :3] + [0, 0, 1]) @ tilt.T
    turning = motion[:, 3:] @ who.mounting.T
    noise = rng.normal(0, 0.03, (STEPS, CHANNELS))
    return (np.concatenate([acceleration, turning], axis=1) + who.bias + noise).astype(np.float32)


def _gait(rng: np.random.Generator, who: Person, activity: str) -> Signal:
    """Sum the harmonics of a stride, (128, 6)."""
    strides_hz, pushes, turns, falling = _GAITS[activity]
    # Nobody keeps the exact pace, and effort changes from window to window.
    hertz = strides_hz * who.pace * rng.normal(1, 0.05) * (1 + 0.03 * rng.standard_normal() * (_TIME - _TIME.mean()))
    amplitudes = np.outer(np.array([*pushes, *turns]) * who.vigor * np.exp(rng.normal(0, 0.12)), _HARMONICS**-falling)
    even = _HARMONICS % 2 == 0
    main = np.where(_ONCE_A_STRIDE[:, None], ~even, even)
    # What swings once a step has its second harmonic as its first.
    strength = np.where(_ONCE_A_STRIDE, 1.0, 2.0**falling)[:, None] * np.where(main, 1.0, who.limp)
    turn = 2 * np.pi * (np.cumsum(hertz) / SAMPLE_RATE_HZ + rng.uniform())
    waves = np.sin(turn[:, None, None] * _HARMONICS + who.phases + rng.normal(0, 0.25, who.phases.shape))
    return np.asarray(np.sum(amplitudes * strength * who.profile * waves, axis=2))


def _fidget(rng: np.random.Generator) -> Signal:
    """Slow small movements of a person at rest, (128, 6)."""
    hertz, phases = rng.uniform(0.2, 1.2, CHANNELS), rng.uniform(0, 2 * np.pi, CHANNELS)
    size = 0.015 * np.exp(rng.normal(0, 0.5, CHANNELS))
    return np.asarray(size * np.sin(2 * np.pi * np.outer(_TIME, hertz) + phases))


def _rotation(degrees: Signal) -> Signal:
    """Rotate about x, then y, then z, (3, 3)."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)
