"""What each operator asks of its tensors and options: shapes, types, bounds that interpreters read on trust.

Each module here is a family of operators with a table RULES; nothing else has to be edited. The rules say what makes
an operator meaningful, not what one engine can run.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache

from edgekit.tflite.guard.operators import Operator

Rule = Callable[[Operator], None]


@cache
def rules() -> dict[str, Rule]:
    """Return the rule of each operator, by the schema's name of it.

    Example:
        >>> "CONV_2D" in rules()
        True
    """
    found: dict[str, Rule] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            found.update(importlib.import_module(f"{__name__}.{module.name}").RULES)
    return found
