"""The voices of the keyword model: which part hears which of espeak-ng's, and invented ones for training."""

from __future__ import annotations

import random
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

Families = list[list[str]]


@dataclass(frozen=True, slots=True)
class Parts:
    """Families of espeak-ng's voice variants, dealt to three parts that share no voice.

    Attributes:
        train: heard in training.
        validation: whole families: every choice was made by the accuracy on these.
        test: single voices, scored once, after all choices; a relative may be heard in training (klatt beside klatt2).
    """

    train: Families
    validation: Families
    test: Families


def parts() -> Parts:
    """Deal a fifth of the families to validation, a fifth of the other voices to test, the rest to training.

    Families such as klatt, klatt2, klatt3 sound alike; a validation by whole families is the harder one.
    """
    listing = _espeak("--voices=variant")
    names = {line.split("!v/")[1].split()[0] for line in listing.splitlines() if "!v/" in line}
    families: dict[str, list[str]] = {}
    for name in sorted(names):
        families.setdefault(_family(name), []).append(name)
    drawn = [families[name] for name in sorted(families)]
    random.Random(5).shuffle(drawn)
    fifth = len(drawn) // 5
    others = sorted(name for family in drawn[fifth:] for name in family)
    random.Random(11).shuffle(others)
    test = set(others[: len(others) // 5])
    heard = [[name for name in family if name not in test] for family in drawn[fifth:]]
    return Parts(
        train=[family for family in heard if family],
        validation=drawn[:fifth],
        test=[[name] for name in sorted(test)],
    )


def _family(variant: str) -> str:
    """Drop the number: robosoft3 is of the family robosoft; f1 to f5 and m1 to m8 are voices of their own."""
    stem = variant.lower().rstrip("0123456789")
    return stem if len(stem) > 1 else variant.lower()


def copy_data(folder: Path) -> Path:
    """Link espeak-ng's data into a folder, for its `--path`: English alone, voice variants none.

    espeak-ng reads every voice file at its start, and knows 350 at most: with fewer it speaks sooner and has room
    for invented ones.

    Returns:
        Where its voice variants are to lie.
    """
    copy = folder / "espeak-ng-data"
    variants = copy / "voices" / "!v"
    variants.mkdir(parents=True)
    (copy / "lang").mkdir()
    (copy / "lang" / "gmw").symlink_to(_installed() / "lang" / "gmw")
    for path in _installed().iterdir():
        if path.name not in ("lang", "voices"):
            (copy / path.name).symlink_to(path)
    return variants


def _installed() -> Path:
    """Find espeak-ng's own data."""
    found = re.search(r"Data at: (.*)", _espeak("--version"))
    assert found is not None
    return Path(found[1].strip())


def link_own(variants: Path) -> None:
    """Link all of espeak-ng's own voice variants into the folder `variants`."""
    for path in (_installed() / "voices" / "!v").iterdir():
        (variants / path.name).symlink_to(path)


def invent(count: int, rng: random.Random, variants: Path) -> Families:
    """Write voice variants of random timbre, for training only: espeak-ng's own are few.

    Args:
        count: how many, at most 300.
        rng: draws every setting.
        variants: the folder that they go to.

    Returns:
        One family a voice.
    """
    names = [f"invented{index}" for index in range(count)]
    for name in names:
        (variants / name).write_text(_voice(rng), encoding="ascii")
    return [[name] for name in names]


def _voice(rng: random.Random) -> str:
    """Draw one variant, in espeak-ng's voice format (its docs/voices.md): percentages but for pitch and echo."""
    low = rng.uniform(50, 190)
    lines = [
        "language variant",
        f"gender {rng.choice(('male', 'female'))}",
        f"pitch {low:.0f} {low * rng.uniform(1.1, 2):.0f}",
        f"flutter {rng.randint(0, 20)}",
        f"consonants {rng.randint(50, 130)} {rng.randint(50, 130)}",
    ]
    if rng.random() < 0.25:
        lines.append(f"klatt {rng.randint(1, 6)}")
    if rng.random() < 0.3:
        lines.append(f"echo {rng.randint(5, 130)} {rng.randint(5, 60)}")
    if rng.random() < 0.4:
        lines.append(f"roughness {rng.randint(1, 7)}")
    # All formants move together, as with the length of the throat, and each a little by itself.
    length = rng.uniform(0.8, 1.25)
    for formant in range(9):
        frequency = 100 * length * rng.uniform(0.9, 1.1)
        lines.append(f"formant {formant} {frequency:.0f} {rng.randint(50, 150)} {rng.randint(70, 190)}")
    breathy = rng.random()
    if breathy < 0.3:
        # With little voicing this is a whisper.
        lines.append(f"voicing {rng.randint(5, 90)}")
        lines.append("breath " + " ".join(str(rng.randint(0, 75)) for _ in range(8)))
        lines.append("breathw " + " ".join(str(rng.randint(100, 400)) for _ in range(8)))
    elif breathy < 0.5:
        lines.append(f"voicing {rng.randint(40, 120)}")
    if rng.random() < 0.5:
        low_corner = f"{rng.randint(100, 700)} {rng.randint(100, 255)}"
        upper = ((800, 2500), (2600, 5000))
        lines.append(f"tone {low_corner} " + " ".join(f"{rng.randint(*span)} {rng.randint(50, 255)}" for span in upper))
    return "\n".join(lines) + "\n"


def _espeak(option: str) -> str:
    """Return what espeak-ng answers to an option."""
    return subprocess.run(["espeak-ng", option], capture_output=True, text=True, check=True, timeout=30).stdout
