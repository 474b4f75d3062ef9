"""Every deliberate failure: what came, what was expected, and what to do about it.

One tree under `EdgeKitError`. Each class owns the exit code that the CLI ends with, and a stable `code` that
scripts can match. A hint is mandatory: an error without a way on cannot be written.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class EdgeKitError(Exception):
    """A failure that EdgeKit foresaw.

    Args:
        what: one sentence: what came and what was expected.
        hint: one sentence: what to do next.

    Example:
        >>> error = UsageError("--sparsity is 1.5, expected 0 <= sparsity < 1", hint="give a fraction, not percent")
        >>> error.exit_code, error.code
        (2, 'usage')
    """

    exit_code = 1
    code = "failed"

    def __init__(self, what: str, *, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class BudgetMissedError(EdgeKitError):
    """A goal or a budget was missed (exit 1)."""

    exit_code, code = 1, "budget_missed"


class UsageError(EdgeKitError):
    """An option, a setting or a file name is wrong (exit 2)."""

    exit_code, code = 2, "usage"


class UnknownNameError(UsageError):
    """A name that is not in the list of known names; suggests the nearest one (exit 2).

    Example:
        >>> print(UnknownNameError("target", "esp23", ["esp32", "host"]).hint)
        did you mean 'esp32'? Known: esp32, host
    """

    code = "unknown_name"

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=1)
        suggestion = f"did you mean {close[0]!r}? " if close else ""
        super().__init__(f"unknown {kind} {name!r}", hint=f"{suggestion}Known: {', '.join(names)}")


class DataError(UsageError):
    """The user's data is missing, of the wrong shape, or not finite (exit 2)."""

    code = "data"


class ModelError(EdgeKitError):
    """The model is damaged, of the wrong kind, or cannot be converted (exit 3)."""

    exit_code, code = 3, "model_refused"


class UnsupportedOpError(ModelError):
    """An operator that the engine cannot run, with the check it failed (exit 3)."""

    code = "unsupported_op"


class DoesNotFitError(ModelError):
    """The model needs more RAM or flash than the target has (exit 3).

    Args:
        resource: "RAM" or "flash".
        needed_bytes: what the build needs.
        available_bytes: what the target has.
        largest: up to three (tensor name, bytes), largest first.
        target: the target's name.
    """

    code = "does_not_fit"

    def __init__(
        self,
        resource: str,
        *,
        needed_bytes: int,
        available_bytes: int,
        largest: Sequence[tuple[str, int]],
        target: str,
    ) -> None:
        tensors = ", ".join(f"{name} {size:,} B" for name, size in largest)
        super().__init__(
            f"the model does not fit {target}: {resource} needed {needed_bytes:,} B, available {available_bytes:,} B; "
            f"largest tensors: {tensors}",
            hint="shrink the three tensors named, compress the model (--recipe small), or choose a larger target "
            "(`edgekit targets`)",
        )
        self.resource = resource
        self.needed_bytes = needed_bytes
        self.available_bytes = available_bytes


class ArenaBoundError(BudgetMissedError):
    """No plan was found whose arena is as small as it must be (exit 1).

    Args:
        needed_bytes: the smallest arena that was reached.
        bound_bytes: what was allowed.
    """

    code = "arena_bound"

    def __init__(self, needed_bytes: int, bound_bytes: int) -> None:
        super().__init__(
            f"the arena may take {bound_bytes:,} B, the smallest plan found needs {needed_bytes:,} B",
            hint=f"allow {needed_bytes:,} B, make the input or the first layers smaller, or shrink the model "
            "(`edgekit shrink`, `--recipe small`)",
        )
        self.needed_bytes = needed_bytes
        self.bound_bytes = bound_bytes


class ToolchainError(EdgeKitError):
    """A compiler, emulator or flasher is missing or failed (exit 4)."""

    exit_code, code = 4, "toolchain"


class ToolMissingError(ToolchainError):
    """A command is not on the PATH (exit 4)."""

    code = "tool_missing"

    def __init__(self, command: str, *, package: str) -> None:
        super().__init__(
            f"{command} was not found on the PATH",
            hint=f"install it (Debian/Ubuntu: sudo apt-get install {package}); `edgekit doctor` lists what is missing",
        )


class PortError(EdgeKitError):
    """No board, no serial port, or the port is busy (exit 5)."""

    exit_code, code = 5, "port"


class DeviceError(EdgeKitError):
    """The device is silent, went away, or reported a fault (exit 6)."""

    exit_code, code = 6, "device"


class UntrustworthyError(EdgeKitError):
    """A result came back, but it cannot be trusted (exit 7): it is not shown."""

    exit_code, code = 7, "untrustworthy"
