"""A simulated electric motor with a gearbox, healthy or faulty, and the log-mel picture of its vibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]

SAMPLE_RATE_HZ = 16_000
WINDOW, STRIDE, FRAMES, BANDS = 1024, 512, 5, 64
SAMPLES = WINDOW + STRIDE * (FRAMES - 1)
INPUTS = FRAMES * BANDS
FAULTS = ("bearing", "whine", "looseness")
# Of healthy signals; part of the front end, as a device needs them too.
MEAN, DEVIATION = 5.9, 1.4

_TIME = np.arange(SAMPLES) / SAMPLE_RATE_HZ
_TEETH = 23


def vibration(rng: np.random.Generator, fault: str | None = None) -> Signal:
    """Return 192 ms of vibration.

    Args:
        rng: decides speed, load, phases, noise, and how far a fault has grown.
        fault: one of FAULTS; None for a healthy machine.

    Returns:
        (3072,), arbitrary units.
    """
    shaft_hz = rng.uniform(24, 26)
    load = rng.uniform(0.7, 1.3)
    mesh = _tones(rng, shaft_hz * _TEETH * np.arange(1, 6), 0.5 * load / np.arange(1, 6))
    if fault == "looseness":
        # The teeth knock once a turn: the mesh tone swells and fades.
        mesh *= np.exp(_growth(rng, 2.6) * np.sin(2 * np.pi * (shaft_hz * _TIME + rng.uniform())))
    signal = mesh + _tones(rng, shaft_hz * np.arange(1, 13), 1 / np.arange(1, 13)) + 0.3 * _noise(rng)
    if fault == "bearing":
        signal += _growth(rng, 1.0) * _impulses(rng, 4.7 * shaft_hz)
    if fault == "whine":
        signal += _tones(rng, np.array([rng.uniform(1500, 6000)]), np.array([_growth(rng, 0.27)]))
    return signal * rng.uniform(0.8, 1.25)


def features(signal: Signal) -> NDArray[np.float32]:
    """Compute the model's input.

    Args:
        signal: (3072,).

    Returns:
        float32, (320,): five frames of 64 log-mel bands, one after the other, mean 0 and deviation 1 over healthy
        signals.
    """
    frames = np.lib.stride_tricks.sliding_window_view(signal, WINDOW)[::STRIDE]
    power = np.abs(np.fft.rfft(frames * _HANN)) ** 2
    return ((np.log(power @ _MEL + 1e-3) - MEAN) / DEVIATION).astype(np.float32).reshape(INPUTS)


def _growth(rng: np.random.Generator, full: float) -> float:
    """Draw how far a fault has grown: from a quarter of its full size, still lost in the noise, to all of it."""
    return float(full * 4 ** rng.uniform(-1, 0))


def _tones(rng: np.random.Generator, hertz: Signal, amplitudes: Signal) -> Signal:
    """Sum sines of random phase, each within 1 dB of its amplitude."""
    amplitudes = amplitudes * 10 ** (rng.uniform(-1, 1, len(hertz)) / 20)
    phases = 2 * np.pi * rng.uniform(size=len(hertz))
    return np.asarray(amplitudes @ np.sin(2 * np.pi * hertz[:, None] * _TIME + phases[:, None]))


def _noise(rng: np.random.Generator) -> Signal:
    """Noise of RMS about 1, falling by 3 dB an octave."""
    frequencies = np.fft.rfftfreq(SAMPLES, 1 / SAMPLE_RATE_HZ)
    shape = np.sqrt(100 / np.maximum(frequencies, 100))
    shape /= np.sqrt(np.mean(shape**2))
    level = 10 ** (rng.uniform(-1, 1) / 20)
    return np.asarray(level * np.fft.irfft(np.fft.rfft(rng.standard_normal(SAMPLES)) * shape, SAMPLES))


def _impulses(rng: np.random.Generator, rate_hz: float) -> Signal:
    """Knocks at a rate, each ringing at 3.2 kHz for a few milliseconds."""
    train = np.zeros(SAMPLES)
    places = np.arange(rng.uniform(), SAMPLES * rate_hz / SAMPLE_RATE_HZ) * SAMPLE_RATE_HZ / rate_hz
    train[places.astype(int)] = rng.uniform(0.7, 1.3, len(places))
    ringing = np.exp(-_TIME / 0.002) * np.sin(2 * np.pi * 3200 * _TIME)
    return np.convolve(train, ringing)[:SAMPLES]


def _mel_bands() -> Signal:
    """Triangular bands on the mel scale from 50 Hz to 7.8 kHz, each at least one bin wide, (513, 64)."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (50.0, 7800.0))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    width = SAMPLE_RATE_HZ / WINDOW
    bins = np.arange(WINDOW // 2 + 1)[:, None] * width
    left = np.maximum(edges[1:-1] - edges[:-2], width)
    right = np.maximum(edges[2:] - edges[1:-1], width)
    return np.maximum(0, np.minimum(1 - (edges[1:-1] - bins) / left, 1 - (bins - edges[1:-1]) / right))


_HANN = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
_MEL = _mel_bands()
