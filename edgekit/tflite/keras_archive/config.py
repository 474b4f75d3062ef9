"""What a model's config would make: only parts of Keras, registered custom layers, and sizes that exist."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

from edgekit.errors import ModelError

_LIMIT_DEPTH = 200
_LIMIT_NODES = 2_000_000
_LIMIT_SIZE = 2**24
_LIMIT_INPUT = 2**28
_HOSTILE = "a model of Keras layers has no such entry: do not use this file, or ask who made it"
_CODE = "it would run Python code from the file: use a Keras layer, or a layer of your own with --objects"

# Where Keras keeps what a model is made of; beside these lie functions that touch files or change settings.
_PARTS = (
    "layers models initializers regularizers constraints activations ops dtype_policies optimizers losses metrics "
    "random quantizers"
).split()
_MODULES = re.compile(rf"keras(\.src)?\.({'|'.join(_PARTS)})(\.[a-z0-9_.]+)?")
_TOP_LEVEL = {
    "Sequential", "Functional", "Model", "DTypePolicy", "FloatDTypePolicy", "QuantizedDTypePolicy", "Layer",
    "Initializer", "Regularizer", "Constraint", "Optimizer", "Loss", "Metric", "Variable", "InputSpec", "KerasTensor",
}  # fmt: skip
# Classes that run code, load other files, or hold pickles, wherever they stand.
_FORBIDDEN = {
    "Lambda", "TFSMLayer", "TorchModuleWrapper", "FlaxLayer", "JaxLayer", "NnxLayer", "__lambda__", "__typespec__",
    "function_type", "RandomSeedPipeline", "Pipeline",
}  # fmt: skip
# Values that Keras writes for itself.
_SPECIAL = {"__tuple__", "__bytes__", "__slice__", "__ellipsis__", "__keras_tensor__", "__tensor__", "__numpy__"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(>[A-Za-z_][A-Za-z0-9_]*)?")
_PACKAGES = {"tensorflow", "numpy", "torch", "jax", "flax", "keras_hub", "keras_cv", "keras_nlp", "h5py", "edgekit"}
# Settings that read files.
_FILES = {"vocabulary": str, "idf_weights": str, "filepath": str, "oov_file": str}
# A weight has at least so many elements as these say.
_WEIGHTS = {"units", "filters", "input_dim", "output_dim", "key_dim", "num_heads", "vocabulary_size"}
# Addresses, seeds and values are no sizes.
_ANY_NUMBER = {"seed", "shared_object_id", "max_tokens", "oov_token", "mask_token", "mask_value", "value"}


def check(text: bytes, name: str, weight_elements: int) -> None:
    """Check a config before Keras builds it.

    Args:
        text: JSON, UTF-8.
        name: of the file, for errors.
        weight_elements: how many numbers the file's weights are.

    Raises:
        ModelError: no JSON, too deep or too much of it, or with an entry that no model of Keras layers has.
    """
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"{name}: its config is no JSON that can be read ({type(error).__name__}: {str(error)[:100]})",
            hint="save the model again with model.save('m.keras')",
        ) from error
    if not isinstance(config, dict):
        raise ModelError(f"{name}: its config is no JSON object", hint="save the model again")
    for entry in _objects(config, name):
        layer = _layer_name(entry)
        if "class_name" in entry:
            _check_class(entry, f"{name}: {layer}")
        _check_settings(entry, f"{name}: {layer}", weight_elements)


def _objects(config: Any, name: str) -> Iterator[dict[str, Any]]:
    """Every object in the config, without recursion."""
    todo, seen = [(config, 0)], 0
    while todo:
        entry, depth = todo.pop()
        seen += 1
        if depth > _LIMIT_DEPTH or seen > _LIMIT_NODES:
            raise ModelError(
                f"{name}: its config has more than {_LIMIT_DEPTH} levels or {_LIMIT_NODES:,} entries", hint=_HOSTILE
            )
        if isinstance(entry, dict):
            yield entry
            todo += [(value, depth + 1) for value in entry.values() if isinstance(value, dict | list)]
        elif isinstance(entry, list):
            todo += [(value, depth + 1) for value in entry if isinstance(value, dict | list)]


def _layer_name(entry: dict[str, Any]) -> str:
    settings = entry.get("config")
    named = settings.get("name") if isinstance(settings, dict) else entry.get("name")
    kind = entry.get("class_name", "an entry")
    return f"{str(kind)[:60]!r}" + (f" named {named[:60]!r}" if isinstance(named, str) else "")


def _check_class(entry: dict[str, Any], where: str) -> None:
    kind, module, registered = entry["class_name"], entry.get("module"), entry.get("registered_name")
    if kind in ("function", "__tuple__") and module in (None, "builtins"):
        kind = entry.get("config") if kind == "function" else kind
        if isinstance(kind, str) and _NAME.fullmatch(kind):
            return
    if not isinstance(kind, str) or not (_NAME.fullmatch(kind) or kind in _SPECIAL):
        raise ModelError(f"{where}: the class name is no name of a class", hint=_HOSTILE)
    if kind in _FORBIDDEN or str(registered).rpartition(">")[2] in _FORBIDDEN:
        raise ModelError(f"{where}: the class {kind} is not loaded from a file", hint=_CODE)
    if module is None or kind in _SPECIAL:
        return
    if not isinstance(module, str):
        raise ModelError(f"{where}: the module is {str(module)[:60]!r}", hint=_HOSTILE)
    package = module.partition(".")[0]
    if package == "keras":
        if not (_MODULES.fullmatch(module) or (module == "keras" and kind in _TOP_LEVEL)):
            raise ModelError(f"{where}: {module}.{kind} is no part of a model", hint=_HOSTILE)
    elif package in sys.stdlib_module_names or package in _PACKAGES:
        raise ModelError(f"{where}: {module}.{kind} is no part of a model", hint=_CODE)


def _check_settings(entry: dict[str, Any], where: str, weight_elements: int) -> None:
    for key, value in entry.items():
        kind = _FILES.get(key)
        if kind is not None and isinstance(value, kind):
            raise ModelError(
                f"{where}: {key} is the file {value[:60]!r}, which a model has to bring along", hint=_HOSTILE
            )
        numbers = [value] if isinstance(value, int) else value if isinstance(value, list) else []
        if isinstance(value, bool) or key in _ANY_NUMBER:
            continue
        for number in numbers:
            if isinstance(number, int) and abs(number) > _LIMIT_SIZE:
                raise ModelError(
                    f"{where}: {key} is {_shown(number)}, the limit is {_LIMIT_SIZE:,}",
                    hint="no model for a small device has such a size: save it again",
                )
        if key in _WEIGHTS and isinstance(value, int) and value > weight_elements:
            raise ModelError(
                f"{where}: {key} is {value:,}, but the weights in the file are {weight_elements:,} numbers",
                hint="config and weights do not belong together: save the model again",
            )
        if key in ("batch_shape", "batch_input_shape", "target_shape"):
            _check_product(key, numbers, where)


def _check_product(key: str, sizes: list[Any], where: str) -> None:
    product = 1
    for size in sizes:
        product *= abs(size) if isinstance(size, int) else 1
    if product > _LIMIT_INPUT:
        raise ModelError(
            f"{where}: {key} {str(sizes)[:80]} has more than {_LIMIT_INPUT:,} elements",
            hint="no model for a small device has such a size: save it again",
        )


def _shown(number: int) -> str:
    """A number of any length; Python itself refuses to print one of thousands of digits."""
    return f"{number:,}" if abs(number) < 2**64 else f"a number of {number.bit_length():,} bits"
