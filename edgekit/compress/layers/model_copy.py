"""Copies of Keras models that share nothing with the original."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import keras

from edgekit.errors import ModelError


def copy_model(model: keras.Model) -> keras.Model:
    """Copy a model: same classes, configuration and weight names, own weights, not compiled.

    Args:
        model: a built model. `keras.models.clone_model` would rename its inputs, so the copy is made from the
            configuration; a subclassed model is written to a temporary file and read back.

    Returns:
        The copy.

    Raises:
        ModelError: the model is not built, or a class of its own cannot be written and read back.
    """
    if not model.built:
        raise ModelError(
            f"model {model.name!r} has no weights yet: it was never built",
            hint="call model.build(...) or run one batch through it, then save it again",
        )
    try:
        with own_classes(model):
            if isinstance(model, keras.Sequential) or hasattr(model, "_operations_by_depth"):
                copy = type(model).from_config(model.get_config())
            else:
                copy = _through_file(model)
        copy.set_weights(model.get_weights())
    except (TypeError, ValueError, NotImplementedError, KeyError, OSError) as error:
        raise ModelError(
            f"model {model.name!r} cannot be copied: {str(error).strip().splitlines()[0]}",
            hint="give custom classes a get_config and keras.saving.register_keras_serializable; replace Lambda layers",
        ) from error
    return copy


def own_classes(model: keras.Model) -> contextlib.AbstractContextManager[None]:
    """Let configurations name the classes of this model's layers that Keras does not know by itself.

    Keras's own layers stay out: a layer called Add would stand where the model has the operation of that name.
    """
    kinds = {type(layer) for layer in model._flatten_layers(include_self=True)}
    own = {
        kind.__name__: kind
        for kind in kinds
        if not kind.__module__.startswith(("keras.src.layers.", "keras.src.models."))
    }
    scope: contextlib.AbstractContextManager[None] = keras.utils.custom_object_scope(own)
    return scope


def _through_file(model: keras.Model) -> keras.Model:
    """Save and load: the only public way to copy a subclassed model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return keras.models.load_model(path, compile=False)
