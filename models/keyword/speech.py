"""Words spoken by espeak-ng in many voices, and the noise that is laid over them. All of it is simulated."""

from __future__ import annotations

import io
import random
import shutil
import subprocess
import sys
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from voices import Families

SAMPLE_RATE_HZ, BLOCK = 16_000, 64
WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
UNKNOWN_WORDS = tuple(
    "backward bed bird cat dog eight five follow forward four happy house learn marvin nine one seven sheila six "
    "three tree two visual wow zero".split()
)
_ACCENTS = ("en-us", "en-us-nyc", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029")


Noises = list[NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Utterance:
    """One word in one voice; speed in words a minute, pitch 0..99."""

    word: str
    variant: str
    accent: str
    speed: int
    pitch: int


def require_espeak() -> None:
    """End with what to install where espeak-ng is missing."""
    if shutil.which("espeak-ng") is None:
        sys.exit("espeak-ng speaks the training data and is missing: sudo apt-get install espeak-ng")


def utterances(words: tuple[str, ...], count: int, families: Families, rng: random.Random) -> list[Utterance]:
    """Draw `count` utterances; each word comes up equally often, each family of voices equally likely."""
    return [
        Utterance(
            word=words[index % len(words)],
            variant=rng.choice(rng.choice(families)),
            accent=rng.choice(_ACCENTS),
            speed=rng.randint(120, 220),
            pitch=rng.randint(15, 85),
        )
        for index in range(count)
    ]


def speak(utterance: Utterance, folder: Path) -> NDArray[np.int16]:
    """Let espeak-ng say one word, with its data in `folder`.

    Returns:
        int16, (16000,): the word at the start of its second, silence cut away before it, at a common level.
    """
    command = ["espeak-ng", f"--path={folder}", "-v", f"{utterance.accent}+{utterance.variant}"]
    command += ["-s", str(utterance.speed), "-p", str(utterance.pitch), "--stdout", utterance.word]
    sound = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
    with wave.open(io.BytesIO(sound)) as stream:
        rate = stream.getframerate()
        # espeak-ng writes to a pipe without knowing the length; the header's is a placeholder.
        samples = np.frombuffer(stream.readframes(rate * 10), np.int16).astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    word = _resample(samples[loud[0] : loud[-1] + 1], rate)[:SAMPLE_RATE_HZ]
    level = 0.1 * 32767 / np.sqrt(np.mean(word**2))
    out = np.zeros(SAMPLE_RATE_HZ, np.int16)
    out[: len(word)] = np.clip(word * level, -32768, 32767)
    return out


def _resample(samples: NDArray[np.float64], rate_hz: int) -> NDArray[np.float64]:
    """Resample by cutting the spectrum: exact for a sound that is silent at both ends."""
    length = round(len(samples) * SAMPLE_RATE_HZ / rate_hz)
    spectrum = np.fft.rfft(samples)[: length // 2 + 1]
    return np.asarray(np.fft.irfft(spectrum, length) * (length / len(samples)))


def disguise(word: NDArray[np.int16], most: float, rng: np.random.Generator) -> NDArray[np.int16]:
    """Make another voice of one, for training only.

    Played slower or faster by up to `most` (of its logarithm), so with other formants and pitch, through a random
    filter of up to 6 dB; every fifth with an echo.
    """
    # Lengths in whole blocks: a Fourier transform of prime length takes several times as long.
    blocks = int(np.flatnonzero(word)[-1]) // BLOCK + 1
    stretched = round(blocks * np.exp(rng.uniform(-most, most))) * BLOCK
    spectrum = np.fft.rfft(word[: blocks * BLOCK])[: stretched // 2 + 1]
    # Gains at six corners, evenly spaced on a scale close to the ear's, straight lines between them.
    place = np.linspace(0, 1, len(spectrum)) ** 0.5
    gain_db = np.interp(place, np.linspace(0, 1, 6), rng.uniform(-6, 6, 6))
    warped = np.fft.irfft(spectrum * 10 ** (gain_db / 20), stretched)[:SAMPLE_RATE_HZ]
    warped *= stretched / (blocks * BLOCK)
    if rng.uniform() < 1 / 5:
        delay = int(len(warped) * rng.uniform(0.02, 0.3))
        warped[delay:] += rng.uniform(0.1, 0.5) * warped[:-delay]
    out = np.zeros(SAMPLE_RATE_HZ, np.int16)
    out[: len(warped)] = np.clip(warped, -32768, 32767)
    return out


def noise(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return one second of noise at RMS 1, its spectrum falling by 0 to 6 dB an octave, slowly swelling."""
    frequencies = np.fft.rfftfreq(SAMPLE_RATE_HZ, 1 / SAMPLE_RATE_HZ)
    slope = rng.uniform(0, 1)
    white = rng.standard_normal((len(frequencies), 2)) @ np.array([1, 1j])
    spectrum = white / np.maximum(frequencies, 50) ** slope
    time = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    swell = 1 + rng.uniform(0, 0.5) * np.sin(2 * np.pi * (rng.uniform(0.5, 4) * time + rng.uniform()))
    sound = np.fft.irfft(spectrum, SAMPLE_RATE_HZ) * swell
    return np.asarray(sound / np.sqrt(np.mean(sound**2)))


def mix(word: NDArray[np.int16] | None, noises: Noises, rng: np.random.Generator) -> NDArray[np.float64]:
    """Place a word in its second and lay noise over it, at an SNR of 0 to 30 dB.

    Args:
        word: int16, (16000,); None for the class silence, which is noise alone.
        noises: one of them is drawn, and begun somewhere.
        rng: decides place, noise, SNR and level.

    Returns:
        (16000,), full scale at 1.
    """
    level = 0.1 * 10 ** (rng.uniform(-6, 6) / 20)
    ground = np.roll(noises[rng.integers(len(noises))], rng.integers(SAMPLE_RATE_HZ))
    snr_db = rng.uniform(0, 30)
    if word is None:
        return ground * level * 10 ** (-snr_db / 20)
    length = int(np.flatnonzero(word)[-1]) + 1
    rms = np.sqrt(np.mean(word[:length].astype(np.float64) ** 2))
    sound = ground * (level * 10 ** (-snr_db / 20))
    start = rng.integers(0, SAMPLE_RATE_HZ - length + 1)
    sound[start : start + length] += word[:length] * (level / rms)
    return sound
