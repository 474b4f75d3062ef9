"""The clips of the keyword model: three parts, which share no voice, as features."""

from __future__ import annotations

import os
import random
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# The matrices are small: threads of their own only get into each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import speech
import voices
from mfcc import features
from numpy.typing import NDArray
from speech import Utterance

SEED = 7
LABELS = (*speech.WORDS, "silence", "unknown")
# A deviation is 32 steps: 4 deviations fit into int8.
SCALE = 1 / 32
INVENTED_VOICES, NOISES = 300, 500

Features = tuple[NDArray[np.int8], NDArray[np.uint8]]
_CACHE = Path(__file__).resolve().parent / ".cache"


@dataclass(frozen=True, slots=True)
class Kind:
    """Words spoken by one set of voices.

    Attributes:
        clips: words a class; of `unknown`, many words, half as many again in training, of easy silence a quarter.
        heard: how often each is heard, in another noise and disguise each time.
        stretch: how far it is played faster or slower (logarithm); 0 without any disguise.
    """

    clips: int
    heard: int = 1
    stretch: float = 0.0


KINDS = {
    "train": Kind(1300, heard=4, stretch=0.15),
    # As varied as they are, more stretching would only make them hard.
    "invented": Kind(1300, heard=4, stretch=0.05),
    "validation": Kind(200),
    "test": Kind(300),
}


def make_part(part: str) -> Features:
    """Speak and mix one part, or read it from the cache.

    Args:
        part: "train", "validation" or "test"; training adds invented voices.

    Returns:
        x: int8, (n, 49, 10, 1), real = SCALE * q; y: uint8, (n,), the index in LABELS. In random order.
    """
    cache = _CACHE / f"{part}.npz"
    if not cache.exists():
        speech.require_espeak()
        _CACHE.mkdir(exist_ok=True)
        made = [make_kind(kind) for kind in (("train", "invented") if part == "train" else (part,))]
        x, y = (np.concatenate(arrays) for arrays in zip(*made, strict=True))
        order = np.random.default_rng(SEED).permutation(len(x))
        np.savez(cache, x=x[order], y=y[order])
    with np.load(cache) as arrays:
        return arrays["x"], arrays["y"]


def make_kind(name: str) -> Features:
    """Make the clips of one kind, class by class; espeak-ng and NumPy's transforms run beside Python's lock."""
    kind = KINDS[name]
    # Seeds of their own for each kind: the parts share no draw.
    rng, noise_rng = random.Random(f"{SEED} {name}"), random.Random(f"{SEED} {name} noise")
    noises = [speech.noise(np.random.default_rng(noise_rng.getrandbits(64))) for _ in range(NOISES)]
    x, y = [], []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(4) as pool:
        families = _families(name, rng, Path(folder))
        for label, said in enumerate(_utterances(kind, families, rng)):
            for utterance in said:
                seed = noise_rng.getrandbits(64)
                x.append(pool.submit(_hear, utterance, kind, noises, seed, Path(folder)))
            y += [label] * (len(said) * kind.heard)
        print(f"{name}: {len(y)} clips, {len(families)} families of voices", flush=True)
        return np.concatenate([clips.result() for clips in x]), np.array(y, np.uint8)


def _families(name: str, rng: random.Random, folder: Path) -> voices.Families:
    """Lay the voices of a kind into espeak-ng's data folder."""
    variants = voices.copy_data(folder)
    if name == "invented":
        return voices.invent(INVENTED_VOICES, rng, variants)
    voices.link_own(variants)
    families: voices.Families = getattr(voices.parts(), name)
    return families


def _utterances(kind: Kind, families: voices.Families, rng: random.Random) -> list[list[Utterance | None]]:
    """Draw what is said, a list for each class; None is silence."""
    said: list[list[Utterance | None]] = []
    for name in LABELS:
        if name == "silence":
            said.append([None] * (kind.clips // 4 if kind.stretch else kind.clips))
        elif name == "unknown":
            count = 3 * kind.clips // 2 if kind.stretch else kind.clips
            said.append([*speech.utterances(speech.UNKNOWN_WORDS, count, families, rng)])
        else:
            said.append([*speech.utterances((name,), kind.clips, families, rng)])
    return said


def _hear(utterance: Utterance | None, kind: Kind, noises: speech.Noises, seed: int, folder: Path) -> NDArray[np.int8]:
    """Return the features of one word or of silence, as often as it is heard: int8, (heard, 49, 10, 1)."""
    rng = np.random.default_rng(seed)
    spoken = None if utterance is None else speech.speak(utterance, folder)
    heard = []
    for _ in range(kind.heard):
        word = spoken if spoken is None or not kind.stretch else speech.disguise(spoken, kind.stretch, rng)
        heard.append(np.clip(np.round(features(speech.mix(word, noises, rng)) / SCALE), -128, 127).astype(np.int8))
    return np.stack(heard)
