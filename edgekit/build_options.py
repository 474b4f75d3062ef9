"""What a build may be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgekit.budget import Budget
from edgekit.engine.options import EngineOptions, Optimize, form_named, optimize_named
from edgekit.errors import UsageError
from edgekit.model_source import DataSource
from edgekit.targets import Target


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What a build may be told beside model and target; None means: as the model's folder says, else none.

    Attributes:
        data: representative samples: a `DataSource`, or its spec as seen from the current folder.
        recipe: name of a recipe or a TOML file; "none" skips the one of the model's folder.
        sparsity: prune this fraction of the weights, 0 <= sparsity < 1.
        metric: "accuracy", "auc", "mse" or `module:function`.
        engine: "aot" or "tflm".
        cached: use and keep stage results.
        shrink: shrink the .tflite losslessly before it is proved.
        objects: Python file or module that registers a Keras model's custom layers; it is imported to convert.
        memory_limit_bytes: of the process that converts; None for four fifths of the machine's memory.
        optimize: what engine aot gives up last: "speed", "balanced", "ram" or "flash"; None: "balanced", or with a
            budget the first plan that meets it.
        max_ram_bytes: bound on the arena; engine aot makes the fastest plan within it.
        max_flash_bytes: bound on the flash of the firmware.
        max_instructions: bound on the instructions of one inference on the target's emulated core.
        stream_input: the application hands the rows of the input over while the model runs.
        form: in which engine aot stores weights wherever a kernel reads it, "dense" or one of `edgekit.engine.forms`;
            None chooses.
    """

    data: DataSource | str | Path | None = None
    recipe: str | None = None
    sparsity: float | None = None
    metric: str | None = None
    engine: str = "aot"
    cached: bool = True
    shrink: bool = True
    objects: str | None = None
    memory_limit_bytes: int | None = None
    optimize: str | None = None
    max_ram_bytes: int | None = None
    max_flash_bytes: int | None = None
    max_instructions: int | None = None
    stream_input: bool = False
    form: str | None = None

    @property
    def budget(self) -> Budget:
        """The bounds on what is built."""
        return Budget(self.max_flash_bytes, self.max_ram_bytes, self.max_instructions)

    def for_engine(self, target: Target | None) -> EngineOptions:
        """Return what engine aot needs to know; the target's features choose kernels, None takes the portable ones.

        Raises:
            UnknownNameError: there is no such aim of optimization, or no such form of weights.
            UsageError: the input shall be streamed into an engine that cannot do that.
        """
        if self.stream_input and self.engine != "aot":
            raise UsageError(
                f"--stream-input was given with --engine {self.engine}, expected engine aot",
                hint="TensorFlow Lite Micro keeps the whole input in its arena: leave one of the two out",
            )
        features = target.features if target is not None else ()
        aim = optimize_named(self.optimize or Optimize.BALANCED.value)
        form = None if self.form is None else form_named(self.form)
        return EngineOptions(features, aim, self.max_ram_bytes, self.stream_input, form)
