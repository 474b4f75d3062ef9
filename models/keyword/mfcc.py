"""The keyword model's front end: 49 frames of 10 cepstral coefficients from one second of sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
WINDOW, STRIDE, FFT = 640, 320, 1024
BANDS, COEFFICIENTS = 40, 10
# Measured once on words in the training voices; part of the front end, as a device needs them too.
DEVIATION = np.array([14.2, 5.6, 2.1, 2.5, 2.3, 2.0, 1.7, 1.6, 1.4, 1.2])


def features(sound: NDArray[np.float64]) -> NDArray[np.float32]:
    """Compute the model's input.

    Args:
        sound: (16000,), full scale at 1, 16 kHz.

    Returns:
        float32, (49, 10, 1): frames of 40 ms every 20 ms, each coefficient with mean 0 over the second, which
        takes away level and microphone, and a deviation near 1 over the training voices.
    """
    coefficients = mfcc(sound)
    return (((coefficients - coefficients.mean(axis=0)) / DEVIATION)[..., None]).astype(np.float32)


def mfcc(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mel-frequency cepstral coefficients, (49, 10): Hann window, power, 40 bands 60-7600 Hz, log, DCT-II."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::STRIDE]
    spectrum = np.fft.rfft(frames * _HANN, FFT)
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(np.log(power @ _MEL + 1e-6) @ _DCT)


def _mel_bands() -> NDArray[np.float64]:
    """Triangular bands on the mel scale, (513, 40)."""
    mel = np.linspace(_to_mel(60.0), _to_mel(7600.0), BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    bins = np.fft.rfftfreq(FFT, 1 / SAMPLE_RATE_HZ)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


def _to_mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def _dct() -> NDArray[np.float64]:
    """The first ten columns of the orthonormal DCT-II, (40, 10)."""
    angle = np.pi / BANDS * (np.arange(BANDS)[:, None] + 0.5) * np.arange(COEFFICIENTS)
    matrix = np.cos(angle) * np.sqrt(2 / BANDS)
    matrix[:, 0] /= np.sqrt(2)
    return np.asarray(matrix)


_HANN = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
_MEL = _mel_bands()
_DCT = _dct()
