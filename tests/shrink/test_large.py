"""A file as large as a phone's model passes within 2 GB of memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_WRITE_AND_SHRINK = """
import resource, sys
sys.path[:0] = sys.argv[1:]
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand
from edgekit.tflite import flatbuffer
from edgekit.tflite.shrink import Answer, ShrinkOptions, chain

SIDE, LAYERS = 4096, 9

def written():
    made, random = ModelByHand(), np.random.default_rng(0)
    model, subgraph, code = schema.ModelT(), schema.SubGraphT(), schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    last = first = made.tensor((1, SIDE))
    subgraph.operators = []
    for layer in range(LAYERS):
        weights = np.frombuffer(random.bytes(SIDE * SIDE), np.int8).reshape(SIDE, SIDE).copy()
        weights[100 * layer:100 * layer + 200] = 0
        operator = schema.OperatorT()
        bias = made.tensor((SIDE,), 0.01, dtype="int32", data=np.zeros(SIDE, np.int32))
        operator.inputs = [last, made.tensor((SIDE, SIDE), 0.01, data=weights), bias]
        last = made.tensor((1, SIDE), 50.0)
        operator.outputs = [last]
        operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
        operator.builtinOptions = schema.FullyConnectedOptionsT()
        subgraph.operators.append(operator)
    subgraph.tensors, subgraph.inputs, subgraph.outputs = made.tensors, [first], [last]
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [subgraph], made.buffers
    return flatbuffer.pack(model)

data = written()
assert len(data) > 140_000_000
shrunk = chain.shrink(data, {"any": lambda *_: Answer((b"",), "")}, (b"",), "none", ShrinkOptions())
assert shrunk.certificate.macs_after < shrunk.certificate.macs_before
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def test_140_megabytes_within_2_gigabytes(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WRITE_AND_SHRINK, str(repository), str(repository / "tests" / "kernels")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 2_000_000_000
