"""Which layer made the converter crash: found by converting the model up to each layer, in fresh children."""

from __future__ import annotations

from typing import Any

from edgekit.errors import EdgeKitError
from edgekit.progress import Progress
from edgekit.worker import Worker, WorkerCrashError

# Up to this many layers every one is tried in turn, which one child does until it crashes; above, halving needs fewer
# conversions, though more children.
_TRIED_IN_TURN = 24
_TIME_LIMIT_S = 300.0


def with_layer(error: WorkerCrashError, request: dict[str, Any], limit_bytes: int, progress: Progress) -> EdgeKitError:
    """Return the crash with the layer's name in front; the crash itself where no layer can be named.

    Args:
        error: what came of converting the whole model.
        request: of that conversion; its folder with the data is still there.
        limit_bytes: memory that a child may take.
        progress: told what is tried.
    """
    if not error.step.startswith(("tracing", "converting")):
        return error
    progress("finding the layer at which the converter crashes")
    try:
        layer = _Search(request, limit_bytes).layer()
    except EdgeKitError:
        layer = None
    if layer is None:
        return error
    hint = "replace this layer; " + error.hint
    return WorkerCrashError(f"{layer}: {error.what}", hint=hint, step=error.step)


class _Search:
    def __init__(self, request: dict[str, Any], limit_bytes: int) -> None:
        self._request, self._limit_bytes = request, limit_bytes
        self._worker: Worker | None = None

    def layer(self) -> str | None:
        """Return the first layer up to which the model does not convert; None where there is none."""
        try:
            layers = self._call("layers", {})["layers"]
            fine, crashes = -1, len(layers)
            while crashes - fine > 1:
                tried = fine + 1 if len(layers) <= _TRIED_IN_TURN else (fine + crashes) // 2
                if self._converts(tried):
                    fine = tried
                else:
                    crashes = tried
            return f"layer {layers[crashes][0]!r} ({layers[crashes][1]})" if crashes < len(layers) else None
        finally:
            self._stop()

    def _converts(self, position: int) -> bool:
        try:
            return bool(self._call("up_to", {"position": position})["converted"])
        except WorkerCrashError:
            self._stop()
            return False

    def _call(self, function: str, more: dict[str, Any]) -> dict[str, Any]:
        if self._worker is None:
            self._worker = Worker(memory_limit_bytes=self._limit_bytes).__enter__()
        return self._worker.call(
            f"edgekit.tflite.convert_probe:{function}", {**self._request, **more}, timeout_s=_TIME_LIMIT_S
        )

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.__exit__(None, None, None)
            self._worker = None
