"""What a rule sees of an operator, and how it says no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from edgekit.tflite.guard.refusal import DAMAGED, refusal
from edgekit.tflite.guard.tensors import Operand

# Types in which an integer stands for a real number.
QUANTIZED = frozenset({"int8", "uint8", "int16"})
INDICES = frozenset({"int32", "int64"})
FIXED_SIZES = "convert with fixed input sizes (batch 1), so that shapes and indices are constants"
# No list of axes, sizes or paddings is longer.
_LISTED = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """One operator with its tensors.

    Attributes:
        index: position in the subgraph, which is execution order.
        kind: the schema's name of the built-in operator.
        version: of the operator.
        inputs: None where an optional input is absent.
        outputs: its outputs.
        options: the built-in options with the schema's names; None where the file has none.
        intermediates: tensors that an LSTM quantizes to.
        runner: the interpreter about to run it: what only it could check is refused; "" where none is.
    """

    index: int
    kind: str
    version: int
    inputs: tuple[Operand | None, ...]
    outputs: tuple[Operand, ...]
    options: Any | None
    intermediates: tuple[Operand, ...]
    runner: str

    @property
    def where(self) -> str:
        """How an error names the operator: with the tensor that it writes, whose name tells the layer."""
        written = f", writes {self.outputs[0].where}" if self.outputs else ""
        return f"operator {self.index} ({self.kind}){written}"

    def refuse(self, field: str, what: str, *, hint: str = DAMAGED) -> NoReturn:
        """Raise the error that refuses the operator."""
        if hint == DAMAGED and any(
            operand is not None and operand.is_open for operand in (*self.inputs, *self.outputs)
        ):
            hint = FIXED_SIZES
        raise refusal(self.where, field, what, hint=hint)

    def require(self, is_right: bool, field: str, what: str) -> None:
        """Refuse the operator unless `is_right`."""
        if not is_right:
            self.refuse(field, what)

    def input(self, position: int) -> Operand:
        """Return an input that has to be there."""
        if position >= len(self.inputs):
            self.refuse("inputs", f"has {len(self.inputs)} entries, input {position} is missing")
        operand = self.inputs[position]
        if operand is None:
            self.refuse("inputs", f"leaves out input {position}, which is not optional")
        return operand

    def optional(self, position: int) -> Operand | None:
        """Return an input that may be absent."""
        return self.inputs[position] if position < len(self.inputs) else None

    @property
    def output(self) -> Operand:
        """The first output."""
        return self.outputs[0]

    def count(self, inputs: int | tuple[int, int], outputs: int | tuple[int, int] = 1) -> None:
        """Refuse other numbers of inputs and outputs; (fewest, most)."""
        for field, found, expected in (
            ("inputs", len(self.inputs), inputs),
            ("outputs", len(self.outputs), outputs),
        ):
            low, high = expected if isinstance(expected, tuple) else (expected, expected)
            self.require(low <= found <= high, field, f"has {found} entries, expected {low}..{high}")

    def option(self, name: str) -> Any:
        """Return a built-in option; refuses an operator without options."""
        if self.options is None:
            self.refuse("builtinOptions", f"is missing, {name} is needed")
        return getattr(self.options, name)

    def positive(self, *names: str) -> None:
        """Refuse options below 1, and those whose products would overflow."""
        for name in names:
            value = self.option(name)
            self.require(1 <= value < 2**24, name, f"is {value}, expected 1 or more")

    def flag(self, name: str, count: int) -> int:
        """Return an option that is an enum with values 0..count-1."""
        value = int(self.option(name))
        self.require(0 <= value < count, name, f"is {value}, expected 0..{count - 1}")
        return value

    def activation(self) -> None:
        """Refuse a fused activation that the schema does not know."""
        self.flag("fusedActivationFunction", 6)

    def same_type(self, *operands: Operand, field: str = "type") -> None:
        """Refuse operands of different types."""
        first = operands[0]
        for other in operands[1:]:
            self.require(
                other.dtype == first.dtype, field, f"of {other.where} is {other.dtype}, of {first.where} {first.dtype}"
            )

    def one_of(self, operand: Operand, *dtypes: str) -> None:
        """Refuse an operand of another type."""
        self.require(
            operand.dtype in dtypes, "type", f"of {operand.where} is {operand.dtype}, expected {' or '.join(dtypes)}"
        )

    def shape(self, operand: Operand, expected: Sequence[int]) -> None:
        """Refuse an operand of another shape."""
        self.require(
            operand.shape == tuple(expected),
            "shape",
            f"of {operand.where} is {list(operand.shape)}, expected {list(expected)} from the inputs",
        )

    def rank(self, operand: Operand, low: int, high: int | None = None) -> None:
        """Refuse an operand with fewer or more dimensions."""
        most = low if high is None else high
        self.require(
            low <= len(operand.shape) <= most,
            "shape",
            f"of {operand.where} is {list(operand.shape)}, expected {low}..{most} dimensions",
        )

    def elements(self, operand: Operand, expected: int) -> None:
        """Refuse an operand with another number of elements."""
        self.require(
            operand.elements == expected,
            "shape",
            f"of {operand.where} is {list(operand.shape)}, expected {expected:,} elements",
        )

    def scaled(self, *operands: Operand, per_tensor: bool = True) -> None:
        """Refuse a quantized operand without a scale, or with several where one is needed."""
        for operand in operands:
            if operand.dtype not in QUANTIZED:
                continue
            count = len(operand.scales)
            self.require(
                count >= 1, "quantization.scale", f"of {operand.where} is missing, the type is {operand.dtype}"
            )
            if per_tensor:
                self.require(count == 1, "quantization.scale", f"of {operand.where} has {count} entries, expected 1")

    def axis(self, value: int, rank: int, field: str = "axis") -> int:
        """Return an axis counted from the front; refuses one that does not exist."""
        self.require(-rank <= value < rank, field, f"is {value}, expected {-rank}..{rank - 1}")
        return value % rank if rank else 0

    def constant(self, position: int, count: int | None = None, *, dtypes: Sequence[str] = ()) -> list[int] | None:
        """Return the integers of a constant input; None where they are known only at run time.

        Args:
            position: of the input.
            count: how many there must be.
            dtypes: allowed types; int32 and int64 where none is given.
        """
        operand = self.input(position)
        self.one_of(operand, *(dtypes or sorted(INDICES)))
        if count is not None:
            self.elements(operand, count)
        values = operand.values()
        if values is None and self.runner:
            self.refuse(
                "inputs",
                f"take {operand.where} from another operator, expected a constant",
                hint=FIXED_SIZES,
            )
        return None if values is None else [int(value) for value in values[:_LISTED]]
