"""Indices, order and names: what hangs on what in a model; and the rule of each operator."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from edgekit.tflite.guard import tensors
from edgekit.tflite.guard.operators import Operator
from edgekit.tflite.guard.refusal import quoted, refusal
from edgekit.tflite.guard.rules import rules
from edgekit.tflite.guard.tensors import Operand

_VERSION = 3
_LIMIT_OPERATOR_VERSION = 100
# Options whose name does not follow from that of the operator.
_OPTIONS = {
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "L2_POOL_2D": "Pool2DOptions",
    "L2_NORMALIZATION": "L2NormOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "MINIMUM": "MaximumMinimumOptions",
    **dict.fromkeys("MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD REDUCE_ANY REDUCE_ALL".split(), "ReducerOptions"),
    "UNIDIRECTIONAL_SEQUENCE_RNN": "SequenceRNNOptions",
    "RANDOM_UNIFORM": "RandomOptions",
    "RANDOM_STANDARD_NORMAL": "RandomOptions",
    "MULTINOMIAL": "RandomOptions",
}


@cache
def _operator_names() -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    return {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}


@cache
def _options_of(kind: str) -> str | None:
    """The table of options of an operator; None where the schema has none for it."""
    from ai_edge_litert import schema_py_generated as schema

    wanted = _OPTIONS.get(kind, kind.replace("_", "") + "Options").lower()
    names = [*vars(schema.BuiltinOptions), *vars(schema.BuiltinOptions2)]
    return next((name for name in names if name.lower() == wanted), None)


def check(flatbuffer: bytes, *, runner: str) -> None:
    """Check the meaning of a file whose structure is right.

    Args:
        flatbuffer: passed `structure.verify`.
        runner: see `guard.check`.

    Raises:
        ModelError: names operator, tensor and field.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    if model.version != _VERSION:
        raise refusal("the model", "version", f"is {model.version}, expected {_VERSION}")
    buffers = model.buffers or []
    tensors.check_buffers(buffers)
    _check_metadata(model, len(buffers))
    subgraphs = model.subgraphs or []
    if len(subgraphs) != 1:
        raise refusal(
            "the model",
            "subgraphs",
            f"has {len(subgraphs)} entries, expected 1",
            hint="control flow (WHILE, IF) cannot run on the device: unroll loops before converting",
        )
    subgraph = subgraphs[0]
    operands = tuple(tensors.checked(index, raw, buffers) for index, raw in enumerate(subgraph.tensors or []))
    if runner:
        for operand in operands:
            tensors.check_runs(operand)
    _check_signatures(model.signatureDefs or [], len(operands))
    inputs = _pick(subgraph.inputs, operands, "the model", "inputs")
    outputs = _pick(subgraph.outputs, operands, "the model", "outputs")
    operators = subgraph.operators or []
    for field, found in (("inputs", inputs), ("outputs", outputs), ("operators", operators)):
        if not found:
            raise refusal("the model", field, "is empty, expected at least one", hint="export the model again")
    codes = model.operatorCodes or []
    _check_operators(
        [_operator(index, raw, codes, operands, runner) for index, raw in enumerate(operators)],
        [operand for operand in inputs if operand is not None],
        [operand for operand in outputs if operand is not None],
        operands,
    )
    for operand in operands:
        tensors.check_zero_points(operand, runner)


def _pick(
    indices: Sequence[int] | None, operands: Sequence[Operand], where: str, field: str, *, optional: bool = False
) -> tuple[Operand | None, ...]:
    """Return the tensors that a list of indices names; None for -1 where that is allowed."""
    picked: list[Operand | None] = []
    for index in (int(index) for index in (indices if indices is not None else ())):
        if not (-1 if optional else 0) <= index < len(operands):
            raise refusal(where, field, f"names tensor {index}, the model has 0..{len(operands) - 1}")
        if index >= 0 and not operands[index].elements and field != "intermediates":
            raise refusal(
                where,
                field,
                f"names tensor {index} ({operands[index].name}), whose shape [0] has a size below 1",
                hint="convert with a fixed batch of 1 and fixed input sizes",
            )
        picked.append(None if index < 0 else operands[index])
    return tuple(picked)


def _operator(index: int, raw: Any, codes: Sequence[Any], operands: Sequence[Operand], runner: str) -> Operator:
    where = f"operator {index}"
    if not 0 <= raw.opcodeIndex < len(codes):
        raise refusal(where, "opcodeIndex", f"is {raw.opcodeIndex}, the model has {len(codes)} operator codes")
    code = codes[raw.opcodeIndex]
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    kind = _operator_names().get(number)
    if kind is None:
        raise refusal(where, "builtinCode", f"is {number}, which the schema does not know")
    if code.deprecatedBuiltinCode not in (min(number, 127), 0):
        raise refusal(f"{where} ({kind})", "deprecatedBuiltinCode", f"is {code.deprecatedBuiltinCode}, not {number}")
    shown = f"CUSTOM:{quoted(code.customCode)[1:-1]}" if kind == "CUSTOM" else kind
    where = f"{where} ({shown})"
    if not 1 <= code.version <= _LIMIT_OPERATOR_VERSION:
        raise refusal(where, "version", f"is {code.version}, expected 1..{_LIMIT_OPERATOR_VERSION}")
    if (raw.largeCustomOptionsOffset or 0) > 1 or (raw.largeCustomOptionsSize or 0) > 0:
        raise refusal(where, "largeCustomOptionsOffset", "is set, expected the options in the flatbuffer itself")
    inputs = _pick(raw.inputs, operands, where, "inputs", optional=True)
    outputs = _pick(raw.outputs, operands, where, "outputs")
    intermediates = _pick(raw.intermediates, operands, where, "intermediates")
    mutating = raw.mutatingVariableInputs
    if mutating is not None and len(mutating) not in (0, len(inputs)):
        raise refusal(where, "mutatingVariableInputs", f"has {len(mutating)} entries, there are {len(inputs)} inputs")
    return Operator(
        index,
        shown,
        code.version,
        inputs,
        tuple(operand for operand in outputs if operand is not None),
        _options(raw, kind, where),
        tuple(operand for operand in intermediates if operand is not None),
        runner,
    )


def _options(raw: Any, kind: str, where: str) -> Any | None:
    """Return the built-in options, of the table that belongs to the operator."""
    first, second = raw.builtinOptions, raw.builtinOptions2
    if (first is None) != (raw.builtinOptionsType == 0) or (second is None) != (raw.builtinOptions2Type == 0):
        raise refusal(where, "builtinOptionsType", f"is {raw.builtinOptionsType}, but the options say otherwise")
    if first is not None and second is not None:
        raise refusal(where, "builtinOptions2", "is set beside builtinOptions, expected one of them")
    given = first if first is not None else second
    if given is not None:
        name, expected = type(given).__name__.removesuffix("T"), _options_of(kind)
        if name != expected:
            raise refusal(where, "builtinOptionsType", f"is {name}, expected {expected or 'none'}")
    return given


def _check_operators(
    operators: Sequence[Operator],
    inputs: Sequence[Operand],
    outputs: Sequence[Operand],
    operands: Sequence[Operand],
) -> None:
    """Check the order of the operators, and each by its rule."""
    known = {operand.index for operand in operands if operand.data is not None or operand.is_variable}
    for operand in inputs:
        if operand.index in known:
            raise refusal(operand.where, "inputs of the model", "name it, but it has data or is named twice")
        known.add(operand.index)
    for operator in operators:
        for source in operator.inputs:
            if source is not None and source.index not in known:
                operator.refuse("inputs", f"read {source.where}, which nothing has written yet")
        if not operator.outputs:
            operator.refuse("outputs", "is empty, expected at least one")
        for written in operator.outputs:
            if written.index in known:
                operator.refuse("outputs", "write what is written already, has data, or is an input of the model")
            known.add(written.index)
        _check_rule(operator)
    for operand in outputs:
        if operand.index not in known:
            raise refusal(operand.where, "outputs of the model", "name it, but no operator writes it")


def _check_rule(operator: Operator) -> None:
    rule = rules().get(operator.kind)
    if rule is not None:
        rule(operator)
    elif operator.runner:
        operator.refuse(
            "builtinCode",
            "is of a kind that EdgeKit cannot check, so no interpreter runs it here",
            hint="replace the layer that makes this operator; `edgekit ops` lists those that run",
        )


def _check_metadata(model: Any, buffer_count: int) -> None:
    for index, entry in enumerate(model.metadata or []):
        if not 0 <= entry.buffer < buffer_count:
            where = f"metadata {index} ({quoted(entry.name)})"
            raise refusal(where, "buffer", f"is {entry.buffer}, the file has {buffer_count}")
    for number in model.metadataBuffer if model.metadataBuffer is not None else ():
        if not 0 <= number < buffer_count:
            raise refusal("the model", "metadataBuffer", f"names buffer {number}, the file has {buffer_count}")
    if model.externalBuffers or model.externalBufferGroups:
        raise refusal("the model", "externalBuffers", "is set, expected all data in the file itself")


def _check_signatures(signatures: Sequence[Any], tensor_count: int) -> None:
    for index, signature in enumerate(signatures):
        where = f"signature {index} ({quoted(signature.signatureKey)})"
        if signature.subgraphIndex != 0:
            raise refusal(where, "subgraphIndex", f"is {signature.subgraphIndex}, expected 0")
        for field in ("inputs", "outputs"):
            for entry in getattr(signature, field) or []:
                if not 0 <= entry.tensorIndex < tensor_count:
                    raise refusal(
                        where, field, f"name tensor {entry.tensorIndex} for {quoted(entry.name)}, of {tensor_count}"
                    )
