"""Masks that hold weights at zero, without wrapper layers.

A mask is the `constraint` of its variable: the optimizer applies it after every update, inside the compiled
training step. Keras reads constraints when it traces that step; a step that a first `fit` traced would ignore them in
silence, so it is traced anew. `verify` looks, after every epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.compress.frame.training import Hook
from edgekit.compress.layers.kernels import Kernel, kernels_of
from edgekit.compress.masks.patterns import Pattern, matrix_shape
from edgekit.errors import ModelError, UntrustworthyError

if TYPE_CHECKING:
    from edgekit.compress.prune import Prune


@dataclass(frozen=True, slots=True, eq=False)
class MaskedKernel:
    """One weight variable and its mask.

    Attributes:
        name: the layer's name, with the variable's where it is not the layer's only kernel.
        variable: the weights.
        mask: same shape, bool; False where the weight is held at zero.
        previous: the constraint that the layer brought; applied first.
    """

    name: str
    variable: keras.Variable
    mask: keras.Variable
    previous: Any


class _HoldZeros(keras.constraints.Constraint):  # type: ignore[misc]  # Keras has no types
    """Sets masked weights to zero, after the layer's own constraint."""

    def __init__(self, mask: keras.Variable, previous: Any) -> None:
        self.mask = mask
        self.previous = previous

    def __call__(self, w: Any) -> Any:
        values = w if self.previous is None else self.previous(w)
        # A product would leave -0.0, and NaN where a weight has run off to infinity.
        return keras.ops.where(self.mask, values, keras.ops.zeros_like(values))


class Masks:
    """The masks of a model's kernels, attached on creation.

    Args:
        model: a built model; its kernels' constraints are replaced until `strip`.
        pattern: where zeros may lie.
        everywhere: one ranking over all kernels, instead of each kernel to the same sparsity.
        depthwise: mask depthwise kernels too.
        leave_out: names of layers to leave alone.

    Raises:
        UnknownNameError: `leave_out` names a layer that is not there.
        ModelError: no kernel is left to prune.

    Attributes:
        kernels: what is masked, in the model's order.
        skipped: (layer, reason) of each kernel that is not.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        pattern: Pattern = Pattern(),
        everywhere: bool = False,
        depthwise: bool = False,
        leave_out: tuple[str, ...] = (),
    ) -> None:
        kernels: list[MaskedKernel] = []
        skipped: list[tuple[str, str]] = []
        for kernel in kernels_of(model, leave_out):
            reason = kernel.reason or _reason(kernel, pattern, depthwise=depthwise)
            if reason is None:
                kernels.append(_attach(kernel.name, kernel.variable))
            else:
                skipped.append((kernel.name, reason))
        if not kernels:
            raise ModelError(
                f"no layer of model {model.name!r} has a kernel that may be pruned",
                hint="it needs a Conv or Dense layer that is not left out; depthwise = true adds those",
            )
        self.kernels = tuple(kernels)
        self.skipped = tuple(skipped)
        self._pattern, self._everywhere = pattern, everywhere
        # A step that was traced before has no constraints in it.
        model.train_function = None

    def update(self, sparsity: float) -> None:
        """Compute every mask anew from the weights' magnitudes, and zero what it masks.

        Args:
            sparsity: fraction of the weights that becomes zero, 0 <= sparsity < 1.
        """
        weights = [keras.ops.convert_to_numpy(kernel.variable) for kernel in self.kernels]
        for kernel, values, share in zip(self.kernels, weights, self._shares(weights, sparsity), strict=True):
            keep = keep_mask(self._pattern, values, share)
            kernel.mask.assign(keep)
            kernel.variable.assign(np.where(keep, values, np.zeros_like(values)))

    def verify(self, sparsity: float) -> None:
        """Check that every masked weight is exactly zero and that the masks have the sparsity asked for.

        Args:
            sparsity: the sparsity of the last `update`.

        Raises:
            UntrustworthyError: a mask was not held, or is not the one that was asked for.
        """
        keeps = [keras.ops.convert_to_numpy(kernel.mask) for kernel in self.kernels]
        for kernel, keep in zip(self.kernels, keeps, strict=True):
            broken = int(np.count_nonzero(keras.ops.convert_to_numpy(kernel.variable)[~keep]))
            if broken:
                raise UntrustworthyError(
                    f"{kernel.name}: {broken} of {keep.size} masked weights are not zero after training",
                    hint="the training step goes past weight constraints: a train_step of your own must apply "
                    "variable.constraint after each update, and the optimizer must not have use_ema",
                )
        zeros = [int(np.count_nonzero(~keep)) for keep in keeps]
        if self._everywhere:
            # Blocks and the weight that each kernel keeps leave a remainder in each kernel.
            slack = sum(self._pattern.rows * self._pattern.columns + 1 for _ in keeps)
            fits = abs(sum(zeros) - sparsity * sum(keep.size for keep in keeps)) <= slack
        else:
            fits = zeros == [self._pattern.zeros(keep.shape, sparsity) for keep in keeps]
        if not fits:
            total = sum(keep.size for keep in keeps)
            raise UntrustworthyError(
                f"{sum(zeros)} of {total} weights are masked, not the {sparsity:.1%} asked for",
                hint="the pruning schedule did not reach its end; this is an error in EdgeKit: report it",
            )

    def _shares(self, weights: list[NDArray[Any]], sparsity: float) -> list[float]:
        """The sparsity of each kernel: the same, or what one threshold over all of them gives."""
        if not self._everywhere or sparsity == 0:
            return [sparsity] * len(weights)
        magnitudes = np.concatenate([np.abs(values).ravel() for values in weights])
        order = np.argsort(magnitudes, kind="stable")[: round(sparsity * magnitudes.size)]
        owner = np.repeat(np.arange(len(weights)), [values.size for values in weights])
        dropped = np.bincount(owner[order], minlength=len(weights))
        return [count / values.size for count, values in zip(dropped, weights, strict=True)]

    def sparsities(self) -> dict[str, float]:
        """Return the fraction of zeros of each masked kernel as it is now."""
        values = {kernel.name: keras.ops.convert_to_numpy(kernel.variable) for kernel in self.kernels}
        return {name: float(np.mean(weights == 0)) for name, weights in values.items()}

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the masks by their place, for a checkpoint."""
        return {f"mask_{index}": keras.ops.convert_to_numpy(kernel.mask) for index, kernel in enumerate(self.kernels)}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Set the masks to what `state` returned; the weights come back with the model."""
        for index, kernel in enumerate(self.kernels):
            kernel.mask.assign(state[f"mask_{index}"])

    def strip(self) -> None:
        """Give each kernel its own constraint back; the zeros stay."""
        for kernel in self.kernels:
            kernel.variable.constraint = kernel.previous


def keep_mask(pattern: Pattern, weights: NDArray[Any], sparsity: float) -> NDArray[np.bool_]:
    """Mask the smallest weights that the pattern lets go.

    Args:
        pattern: what may go.
        weights: a kernel whose shape `fits`.
        sparsity: fraction to mask, 0 <= sparsity < 1.

    Returns:
        bool, same shape: False where a weight becomes zero; of equal ones the first go.

    Example:
        >>> keep_mask(Pattern(), np.array([[0.5], [-0.1], [2.0], [0.1]]), 0.5).ravel().tolist()
        [True, False, True, False]
        >>> keep_mask(Pattern(kept=1, group=2), np.array([[0.5], [-0.1], [2.0], [3.0]]), 0.5).ravel().tolist()
        [True, False, False, True]
        >>> keep_mask(Pattern(columns=2, kept=1, group=2), np.array([[0.5, 0.1], [0.2, 0.3]]), 0.5).tolist()
        [[True, True], [False, False]]
    """
    inputs, outputs = matrix_shape(weights.shape)
    matrix = np.abs(weights).reshape(inputs, outputs)
    if pattern.group:
        grouped = matrix.reshape(inputs // pattern.group, pattern.group, outputs // pattern.columns, pattern.columns)
        ranks = np.argsort(np.argsort(grouped.mean(axis=3), axis=1, kind="stable"), axis=1, kind="stable")
        keep = np.asarray(ranks >= round(sparsity * pattern.group))
        return keep.repeat(pattern.columns, axis=2).reshape(weights.shape)
    blocks = matrix.reshape(inputs // pattern.rows, pattern.rows, outputs // pattern.columns, pattern.columns)
    scores = blocks.mean(axis=(1, 3))
    keep = np.ones(scores.size, bool)
    dropped = pattern.zeros(weights.shape, sparsity) // (pattern.rows * pattern.columns)
    keep[np.argsort(scores, axis=None, kind="stable")[:dropped]] = False
    spread = keep.reshape(scores.shape).repeat(pattern.rows, axis=0).repeat(pattern.columns, axis=1)
    return spread.reshape(weights.shape)


class PruningSchedule(Hook):
    """Moves masks along the schedule of a `Prune` and checks them after each epoch."""

    def __init__(self, prune: Prune, masks: Masks) -> None:
        self._prune, self._masks = prune, masks
        self._sparsity = 0.0

    def before_step(self, step: int, steps: int) -> None:
        """Compute the masks anew where the schedule says so."""
        if step in self._prune.update_steps(steps):
            self._sparsity = self._prune.sparsity_at(step, steps)
            self._masks.update(self._sparsity)

    def after_epoch(self) -> None:
        """Look whether the masks held."""
        self._masks.verify(self._sparsity)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the masks and their sparsity."""
        return {"sparsity": np.array(self._sparsity), **self._masks.state()}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Take back what `state` returned."""
        self._sparsity = float(state["sparsity"])
        self._masks.restore(state)


def _reason(kernel: Kernel, pattern: Pattern, *, depthwise: bool) -> str | None:
    """Say why a kernel is not pruned; None when it is."""
    if kernel.is_depthwise and not depthwise:
        return "depthwise: few weights, and each one counts"
    shape = tuple(kernel.variable.shape)
    return None if pattern.fits(shape) else f"its shape {shape} does not divide into the pattern"


def _attach(name: str, variable: keras.Variable) -> MaskedKernel:
    """Hang an all-True mask on a variable."""
    mask = keras.Variable(np.ones(variable.shape, bool), dtype="bool", trainable=False, name=f"{variable.name}_mask")
    kernel = MaskedKernel(name=name, variable=variable, mask=mask, previous=variable.constraint)
    variable.constraint = _HoldZeros(mask, kernel.previous)
    return kernel
