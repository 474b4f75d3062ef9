"""What a firmware may take: bounds on flash, arena and instructions, and which plan meets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.engine.options import Optimize
from edgekit.errors import BudgetMissedError

AIMS = (Optimize.BALANCED, Optimize.SPEED, Optimize.FLASH, Optimize.RAM)
"""The plans that are tried, the usual one first."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds, each None without one.

    Attributes:
        flash_bytes: of the firmware that is linked: constants, kernels, application.
        arena_bytes: of the model's RAM.
        instructions: of one inference on the target's emulated core.
    """

    flash_bytes: int | None = None
    arena_bytes: int | None = None
    instructions: int | None = None

    @property
    def is_given(self) -> bool:
        """Whether there is any bound."""
        return bool(self.bounds)

    @property
    def bounds(self) -> dict[str, int]:
        """The bounds that there are, as the flags behind ``--max-`` name them."""
        return _known(self)

    def told(self) -> str:
        """Return the bounds as they were given.

        Example:
            >>> Budget(flash_bytes=65536, instructions=5_000_000).told()
            '--max-flash 65,536 and --max-instructions 5,000,000'
        """
        parts = [f"--max-{name} {bound:,}" for name, bound in self.bounds.items()]
        return " and ".join(parts) if len(parts) < 3 else f"{', '.join(parts[:-1])} and {parts[-1]}"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one plan takes; None where it is not known.

    Attributes:
        plan: its aim, or the engine's name where that has no choice.
        flash_bytes, arena_bytes, instructions: as in `Budget`.
    """

    plan: str
    flash_bytes: int | None = None
    arena_bytes: int | None = None
    instructions: int | None = None

    def overshoot(self, budget: Budget) -> dict[str, float]:
        """Return, for each bound, this cost as a multiple of it; what is not known counts as met.

        Example:
            >>> Cost("speed", flash_bytes=150, arena_bytes=90).overshoot(Budget(flash_bytes=100, arena_bytes=100))
            {'flash': 1.5, 'ram': 0.9}
        """
        known = _known(self)
        return {name: known[name] / bound for name, bound in budget.bounds.items() if name in known}

    def meets(self, budget: Budget) -> bool:
        """Return whether it is known to stay within all bounds."""
        known = self.overshoot(budget)
        return len(known) == len(budget.bounds) and max(known.values(), default=0.0) <= 1

    def told(self) -> str:
        """Return the cost in words.

        Example:
            >>> Cost("speed", 61440, 9216, 3_241_640).told()
            'speed takes 61,440 B of flash, an arena of 9,216 B, 3,241,640 instructions'
        """
        parts = [
            *([f"{self.flash_bytes:,} B of flash"] if self.flash_bytes is not None else []),
            *([f"an arena of {self.arena_bytes:,} B"] if self.arena_bytes is not None else []),
            *([f"{self.instructions:,} instructions"] if self.instructions is not None else []),
        ]
        return f"{self.plan} takes {', '.join(parts)}"


def _known(amounts: Budget | Cost) -> dict[str, int]:
    each = {"flash": amounts.flash_bytes, "ram": amounts.arena_bytes, "instructions": amounts.instructions}
    return {name: amount for name, amount in each.items() if amount is not None}


def missed(budget: Budget, costs: Sequence[Cost], target: str, wanted: str | None) -> BudgetMissedError:
    """Return the error that says what each plan takes, and what is nearest.

    Args:
        budget: the bounds, of which each plan in `costs` misses one, unless `wanted` ruled it out.
        costs: of the plans that were tried, at least one.
        target: its name.
        wanted: the plan that the user insists on; None leaves the choice open.
    """
    what = f"{budget.told()} on {target}: " + "; ".join(cost.told() for cost in costs)
    fitting = [cost for cost in costs if cost.meets(budget)]
    if wanted is not None and fitting:
        return BudgetMissedError(
            f"the {wanted} plan does not meet {what}", hint=f"`--optimize {fitting[0].plan}` meets the budget"
        )
    nearest = min(costs, key=lambda cost: max(cost.overshoot(budget).values(), default=0.0))
    over = [name for name, ratio in nearest.overshoot(budget).items() if ratio > 1]
    bounds = " ".join(f"--max-{name} {_known(nearest)[name]}" for name in over)
    ratios = [cost.overshoot(budget) for cost in costs]
    alone = all(any(each.get(name, 2.0) <= 1 for each in ratios) for name in budget.bounds)
    contradiction = "; each bound can be met alone, together they contradict each other for this model" if alone else ""
    return BudgetMissedError(
        f"no plan meets {what}{contradiction}",
        hint=f"the nearest is {nearest.plan}: allow {bounds}, compress the model (`--recipe small`), or prune it for "
        "this target",
    )
