"""Random one-operator models; a seed names a case.

Each public function of the modules beside this file takes a generator and makes a model. It is named after the operator
that it tests, with a variant behind two underscores where an operator has several: ``add``, ``add__broadcast``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Case:
    """A model whose inputs cannot be just any integers.

    Attributes:
        flatbuffer: the model.
        input_ranges: position among the model's inputs -> lowest value, and the first one above the highest.
    """

    flatbuffer: bytes
    input_ranges: Mapping[int, tuple[int, int]] = field(default_factory=dict)


def _collect() -> dict[str, Callable[[np.random.Generator], Case]]:
    found = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            made = importlib.import_module(f"{__name__}.{module.name}")
            own = {name: make for name, make in vars(made).items() if _is_case(name, make, made.__name__)}
            found |= {name: _as_case(make) for name, make in own.items()}
    return dict(sorted(found.items()))


def _is_case(name: str, make: object, module: str) -> bool:
    own = getattr(make, "__module__", "") == module or getattr(make, "is_case", False)
    return callable(make) and not name.startswith("_") and own


def _as_case(make: Callable[[np.random.Generator], bytes | Case]) -> Callable[[np.random.Generator], Case]:
    def case(rng: np.random.Generator) -> Case:
        made = make(rng)
        return made if isinstance(made, Case) else Case(made)

    return case


CASES = _collect()
