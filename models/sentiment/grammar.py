"""Generated reviews: sentences from a small grammar whose sentiment is computed, never judged by people.

A review has one to three clauses. Each has a value: an adjective's or a verb's sign, made stronger by an adverb, and
turned by what negates it, near or far ("not", "never", "nobody thinks that", "i doubt that"). What others claim counts
nothing. Of two clauses around "but" or "although" one counts double. The label is the sign of the sum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOKENS = 24

_NOUNS = (
    "camera screen battery sound keyboard price case speaker charger menu design handle motor cable lamp box".split()
)
_GOOD = "good great fine lovely sharp solid bright smooth quick superb handy sturdy clever pleasant".split()
_BAD = "bad awful poor ugly dull weak slow rough broken flimsy useless noisy clumsy annoying".split()
_LINKS = "is was seems feels looks".split()
_STRONGER = "very really extremely".split()
_LIKES, _DISLIKES = "love like enjoy".split(), "hate dislike regret".split()
_PEOPLE = "brother neighbor seller boss sister".split()
_CLAIMS = "says claims thinks".split()
_FILLERS = (
    "it came on monday",
    "i bought it in town",
    "we use it at home",
    "i got it in march",
    "it came with a box",
    "we have two at work",
)
_OTHERS = ". , the i not never only also but although and that nobody doubt am sure think my"

WORDS = tuple(
    dict.fromkeys(
        [
            "(nothing)",
            *_OTHERS.split(),
            *_NOUNS,
            *_GOOD,
            *_BAD,
            *_LINKS,
            *_STRONGER,
            *_LIKES,
            *_DISLIKES,
            *_PEOPLE,
            *_CLAIMS,
            *(word for filler in _FILLERS for word in filler.split()),
        ]
    )
)
_IDS = {word: number for number, word in enumerate(WORDS)}
_FEELINGS = [*_GOOD, *_BAD, *_LIKES, *_DISLIKES]

Clause = tuple[str, float]


class Reviews:
    """A source of reviews with their values.

    Args:
        seed: of the choices.
        unseen: False gives reviews in which no noun meets one of its withheld feelings; True gives reviews in which
            at least one does, so that each holds a combination that the other kind never has.
    """

    def __init__(self, seed: int, *, unseen: bool) -> None:
        self._rng, self._unseen = np.random.default_rng(seed), unseen
        self._withheld = False

    def __call__(self, count: int) -> tuple[NDArray[np.int8], NDArray[np.uint8]]:
        """Return reviews as ids, (count, TOKENS), 0 behind the end, and labels: 1 where positive; no review twice."""
        found: dict[bytes, int] = {}
        wanted = [count // 2, count - count // 2]
        while any(wanted):
            text, value = self._review()
            ids = [_IDS[word] for word in text.split()]
            if len(ids) > TOKENS or value == 0 or not wanted[value > 0] or self._withheld != self._unseen:
                continue
            row = np.pad(np.array(ids, np.int8), (0, TOKENS - len(ids))).tobytes()
            if row not in found:
                found[row] = int(value > 0)
                wanted[value > 0] -= 1
        rows = np.frombuffer(b"".join(found), np.int8).reshape(count, TOKENS)
        order = self._rng.permutation(count)
        return rows[order], np.array(list(found.values()), np.uint8)[order]

    def _review(self) -> Clause:
        self._withheld = False
        text, value = self._pair() if self._rng.random() < 0.7 else self._clause()
        if self._rng.random() < 0.4:
            more, further = self._clause()
            text, value = f"{text} . {more}", value + further
        if self._rng.random() < 0.4:
            filler = self._one(_FILLERS)
            text = f"{filler} . {text}" if self._rng.random() < 0.5 else f"{text} . {filler}"
        return text, value

    def _pair(self) -> Clause:
        """Two clauses; which one counts double is said by the word between or before them."""
        (first, a), (second, b) = self._clause(), self._clause()
        match self._rng.integers(5):
            case 0:
                return f"{first} but {second}", a + 2 * b
            case 1:
                return f"although {first} , {second}", a + 2 * b
            case 2:
                return f"{first} , although {second}", 2 * a + b
            case 3:
                return f"not only {first} but also {second}", a + b
            case _:
                return f"{first} and {second}", a + b

    def _clause(self) -> Clause:
        """One statement, perhaps put into doubt or into somebody's mouth."""
        text, value = self._statement()
        match self._rng.integers(8):
            case 0:
                return f"nobody {self._one(_CLAIMS)} that {text}", -value
            case 1:
                return f"i doubt that {text}", -value
            case 2:
                return f"i {self._one(('think', 'am sure'))} that {text}", value
            case 3:
                return f"my {self._one(_PEOPLE)} {self._one(_CLAIMS)} that {text}", 0.0
            case _:
                return text, value

    def _statement(self) -> Clause:
        noun = self._one(_NOUNS)
        positive = bool(self._rng.integers(2))
        negated = self._rng.random() < 0.3
        if self._rng.random() < 0.25:
            verb = self._one(_LIKES if positive else _DISLIKES)
            self._meet(noun, verb)
            sign = 1 if positive != negated else -1
            return f"i {'never ' if negated else ''}{verb} the {noun}", 2.0 * sign
        word = self._one(_GOOD if positive else _BAD)
        self._meet(noun, word)
        return self._described(noun, word, 1 if positive else -1, negated)

    def _described(self, noun: str, word: str, sign: int, negated: bool) -> Clause:
        """A noun and its adjective: 2, or 3 with an adverb."""
        start = f"the {noun} {self._one(_LINKS)}"
        if negated:
            return f"{start} not {word}", -2.0 * sign
        if self._rng.random() < 0.4:
            return f"{start} {self._one(_STRONGER)} {word}", 3.0 * sign
        return f"{start} {word}", 2.0 * sign

    def _meet(self, noun: str, feeling: str) -> None:
        """Note whether noun and feeling are one of the withheld combinations: a fifth of all."""
        if (_NOUNS.index(noun) * 3 + _FEELINGS.index(feeling)) % 5 == 0:
            self._withheld = True

    def _one(self, words: tuple[str, ...] | list[str]) -> str:
        return words[self._rng.integers(len(words))]


def read(ids: NDArray[np.int8]) -> str:
    """Return a review in words.

    Example:
        >>> read(np.array([3, 32, 0], np.int8))
        'the cable'
    """
    return " ".join(WORDS[number] for number in ids if number)
