"""Which groups of channels go: so many of each width, or the cheapest loss over the whole model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgekit.compress.channels.groups import Graph
from edgekit.compress.channels.importance import Scores


@dataclass(frozen=True, slots=True, eq=False)
class Width:
    """One width of the network: the groups whose channels are made by the same layers.

    Attributes:
        layers: paths of these layers.
        roots: their groups, the least important first.
        scores: the importance of each, rising.
    """

    layers: tuple[str, ...]
    roots: NDArray[np.int64]
    scores: Scores


@dataclass(frozen=True, slots=True)
class Limits:
    """What a width may become: a multiple of `multiple_of` groups, at least `minimum` of them, or what it is."""

    multiple_of: int
    minimum: int

    def kept(self, size: int, wanted: float) -> int:
        """Return the nearest number of groups that is allowed.

        Args:
            size: groups that are there.
            wanted: groups that should stay, 0..size.

        Returns:
            Groups that stay; of two that are equally near, the larger.

        Example:
            >>> limits = Limits(multiple_of=4, minimum=4)
            >>> [limits.kept(18, wanted) for wanted in (0, 9, 10, 17, 18)]
            [4, 8, 12, 18, 18]
            >>> limits.kept(3, 1)
            3
        """
        step = self.multiple_of
        least = -(-max(self.minimum, 1) // step) * step
        lower = int(wanted // step) * step
        upper = min(lower + step, size)
        nearest = upper if upper - wanted <= wanted - lower else lower
        return min(max(nearest, least), size)


def widths(graph: Graph, scores: Scores) -> list[Width]:
    """Sort the groups that may go by the layers that make them.

    Args:
        graph: the channels of a model.
        scores: the importance of each group, at its root.

    Returns:
        The widths of the model, in the order of the graph.
    """
    makers: dict[int, list[str]] = {}
    for path, part in graph.parts.items():
        if part.cut.made is not None:
            for root in np.unique(graph.channels.roots(part.cut.made)).tolist():
                makers.setdefault(root, []).append(path)
    found: dict[tuple[str, ...], list[int]] = {}
    for root, layers in makers.items():
        if graph.channels.reason(root) is None:
            found.setdefault(tuple(layers), []).append(root)
    result = []
    for names, members in found.items():
        roots = np.array(members, np.int64)
        order = np.argsort(scores[roots], kind="stable")
        result.append(Width(names, roots[order], scores[roots][order]))
    return result


def drop(groups: list[Width], wanted: Mapping[tuple[str, ...], float], limits: Limits) -> set[int]:
    """Drop the least important groups of each width.

    Args:
        groups: the widths.
        wanted: for each, by its layers, how many should stay.
        limits: what a width may become.

    Returns:
        Roots of the groups that go.
    """
    gone: set[int] = set()
    for width in groups:
        size = len(width.roots)
        kept = limits.kept(size, min(wanted[width.layers], size))
        gone.update(width.roots[: size - kept].tolist())
    return gone


def ranking(groups: list[Width], cost: Scores | None = None) -> NDArray[np.int64]:
    """Rank the groups of all widths together.

    A group's importance is its share in what would be left of its width: the last one of a width never is cheap.

    Args:
        groups: the widths.
        cost: what each group costs, at its root; None ranks by importance alone.

    Returns:
        For each group, the first to go first, the index of its width.

    Source:
        Lee et al. 2021, "Layer-adaptive Sparsity for the Magnitude-based Pruning", arXiv:2010.07611, equation 2.
    """
    worth, owner = [], []
    for index, width in enumerate(groups):
        squares = np.square(width.scores) + np.finfo(np.float64).tiny
        share = squares / np.cumsum(squares[::-1])[::-1]
        worth.append(share if cost is None else share / max(float(cost[width.roots].mean()), 1e-12))
        owner.append(np.full(len(width.roots), index))
    return np.concatenate(owner)[np.argsort(np.concatenate(worth), kind="stable")]


def drop_first(groups: list[Width], order: NDArray[np.int64], count: int, limits: Limits) -> set[int]:
    """Drop the first `count` groups of a ranking, then round each width to what it may become.

    Args:
        groups: the widths.
        order: their ranking.
        count: 0..len(order).
        limits: what a width may become.

    Returns:
        Roots of the groups that go.
    """
    taken = np.bincount(order[:count], minlength=len(groups))
    wanted = {width.layers: len(width.roots) - int(taken[index]) for index, width in enumerate(groups)}
    return drop(groups, wanted, limits)


def fewest(fits: Callable[[int], bool], most: int, precision: int = 1) -> int:
    """Find the smallest count that fits, by bisection.

    Args:
        fits: true from some count on; `fits(most)` is known to be true.
        most: the largest count.
        precision: how far from the smallest the answer may be.

    Returns:
        A count that fits.

    Example:
        >>> fewest(lambda count: count * count >= 50, 100)
        8
    """
    low, high = -1, most
    while high - low > precision:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high
