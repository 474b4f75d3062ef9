"""What a program is compiled for: the core's features, and what matters most."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edgekit.errors import UnknownNameError

FORMS = ("dense", "2:4", "bitmap", "blocks", "clustered", "delta", "int4", "prefix")
"""The forms in which weights are stored; see `edgekit.engine.forms`."""


class Optimize(StrEnum):
    """What a program gives up last.

    SPEED: fewest instructions; weights may be stored wider than they are.
    BALANCED: as fast as weights in their own size allow.
    RAM: the smallest arena; rows flow through several layers at once.
    FLASH: the fewest bytes of constants and kernels.
    """

    SPEED = "speed"
    BALANCED = "balanced"
    RAM = "ram"
    FLASH = "flash"


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How the aot engine compiles a model.

    Attributes:
        features: of the core, best first; they choose kernels.
        optimize: what matters most.
        max_ram_bytes: bound on the arena; None without one.
        stream_input: the application hands the rows of the input over as they are asked for, so that only those which
            are still to be read lie in the arena. For models of one input.
        form: in which weights are stored wherever a kernel can read it, "dense" or one of `edgekit.engine.forms`; None
            chooses one for each layer by what matters most.
    """

    features: tuple[str, ...] = ()
    optimize: Optimize = Optimize.BALANCED
    max_ram_bytes: int | None = None
    stream_input: bool = False
    form: str | None = None

    @property
    def wide_weights(self) -> bool:
        """Whether weights may be stored wider than int8, where that saves instructions."""
        return self.optimize in (Optimize.SPEED, Optimize.RAM)

    @property
    def may_stream(self) -> bool:
        """Whether rows may flow through several layers at once."""
        return self.optimize is Optimize.RAM or self.max_ram_bytes is not None or self.stream_input


def optimize_named(name: str) -> Optimize:
    """Return what a name stands for.

    Raises:
        UnknownNameError: there is no such aim; the hint suggests the nearest one.

    Example:
        >>> optimize_named("ram")
        <Optimize.RAM: 'ram'>
    """
    known = [aim.value for aim in Optimize]
    if name not in known:
        raise UnknownNameError("aim of optimization", name, known)
    return Optimize(name)


def form_named(name: str) -> str:
    """Return the name of a form of weights if there is one.

    Raises:
        UnknownNameError: there is none; the hint suggests the nearest one.

    Example:
        >>> form_named("delta")
        'delta'
    """
    if name not in FORMS:
        raise UnknownNameError("form of weights", name, list(FORMS))
    return name


PORTABLE = EngineOptions()
"""Plain C99 for any core."""
