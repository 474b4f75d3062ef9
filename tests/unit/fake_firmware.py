"""Firmware and a model for the harness's tests; the C twin of the model is tests/unit/harness/ek_model.h."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from edgekit import targets
from edgekit.harness.protocol import Hello
from edgekit.toolchains import Firmware

SHA256 = "00112233445566778899aabbccddeeff" * 2
INPUT_BYTES, OUTPUT_BYTES = 128, 133

HELLO = Hello(
    emulated=False,
    self_test=0,
    init_code=0,
    tick_hz=1_000_000_000,
    arena_bytes=272,
    engine_bytes=0,
    input_bytes=INPUT_BYTES,
    output_bytes=OUTPUT_BYTES,
    runs=0,
    model_sha256=SHA256,
    engine="aot",
)


def model(data: bytes) -> bytes:
    """out[i] = 2 * in[i] + i; the first of two outputs is the first five bytes of the second."""
    second = bytes((2 * byte + index) & 0xFF for index, byte in enumerate(data))
    return second[:5] + second


def samples(count: int) -> tuple[bytes, ...]:
    """Inputs that all differ."""
    return tuple(bytes((7 * index + 3 * place) & 0xFF for place in range(INPUT_BYTES)) for index in range(count))


def firmware(elf: Path = Path("firmware.elf"), target: str = "host") -> Firmware:
    """A firmware of the model above; sizes are placeholders that the harness does not read."""
    return Firmware(
        elf=elf,
        emulated_elf=elf,
        images=(),
        weights_bytes=0,
        kernels_bytes=0,
        application_bytes=0,
        static_bytes=0,
        stack_reserved_bytes=0,
        arena_bytes=272,
        target=targets.load(target),
        engine="aot",
        model_sha256=SHA256,
        compiler="cc",
    )


def emulated_by(command: str, arguments: tuple[str, ...] = ()) -> Firmware:
    """The firmware above for a target with a QEMU of another name."""
    made = firmware(target="cortex-m4")
    assert made.target.emulator is not None
    emulator = dataclasses.replace(made.target.emulator, command=command, arguments=arguments)
    return dataclasses.replace(made, target=dataclasses.replace(made.target, emulator=emulator))
