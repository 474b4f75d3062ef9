"""Run real inputs on a device and report what was measured."""

from __future__ import annotations

from binascii import crc32
from dataclasses import dataclass

from edgekit.deploy import Link
from edgekit.errors import DataError, DeviceError, UntrustworthyError
from edgekit.harness.channel import Channel
from edgekit.harness.protocol import (
    MODEL_DAMAGED,
    Canary,
    DeviceStatus,
    Hello,
    HelloRequest,
    Infer,
    Inference,
    StatusRequest,
    loads,
    reads,
)
from edgekit.progress import Progress, silent
from edgekit.toolchains import Firmware

# A board boots in a second; an emulated core on a busy computer takes longer.
_HELLO_LIMIT_S = 20.0
_ANSWER_LIMIT_S = 15.0
# The longest inference seen is a large model on an emulated core of a busy computer: about 10 s.
_INFERENCE_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one bench run measured; nothing in it is estimated.

    Attributes:
        target: name of the target.
        engine: "aot" or "tflm".
        model_sha256: identity of the flatbuffer, as the device itself said.
        clock: what `per_run` counts: "hardware timer", "instructions, emulated", "host" (DESIGN section 6).
        per_run: one value per inference, in the order they ran: microseconds where `clock` is a time,
            instructions where it is "instructions, emulated".
        arena_bytes: as the device reports it.
        engine_bytes: bytes that the engine keeps outside the arena; 0 for aot.
        stack_peak_bytes: high-water mark of the painted stack; None where the stack cannot be painted.
        outputs_compared: inferences whose every output byte was compared with the host's.
        outputs_match: all of them were equal.
        link: one line: where it ran.
        emulator: name and version; None on hardware.
    """

    target: str
    engine: str
    model_sha256: str
    clock: str
    per_run: tuple[float, ...]
    arena_bytes: int
    engine_bytes: int
    stack_peak_bytes: int | None
    outputs_compared: int
    outputs_match: bool
    link: str
    emulator: str | None


def measure(
    link: Link,
    firmware: Firmware,
    inputs: tuple[bytes, ...],
    expected: tuple[bytes, ...],
    progress: Progress = silent,
) -> Measurement:
    """Run one inference for each input and compare every output byte.

    Args:
        link: an open byte pipe to a device that runs `firmware`.
        firmware: what was built; its model must be the one in the device.
        inputs: for each inference the bytes of all inputs, laid end to end.
        expected: for each inference the bytes of all outputs, from the judge on the host.
        progress: told after each inference.

    Returns:
        What was measured, every output byte equal.

    Raises:
        DataError: an input or an expected output has the wrong number of bytes.
        DeviceError: the device is silent, went away, restarted, or reports a fault.
        UntrustworthyError: it runs another model, failed its self-test, overran memory, or gave a wrong byte.
    """
    channel = Channel(link)
    hello = _meet(channel, link, firmware, progress)
    _check_sizes(hello, inputs, expected)
    per_run: list[float] = []
    for index, (sample, truth) in enumerate(zip(inputs, expected, strict=True)):
        progress("bench: inference", index, len(inputs))
        output, done = _answer(channel, hello, sample, index)
        _check_output(output, truth, index)
        per_run.append(_in_clock(done.ticks, link, hello))
    progress("bench: inference", len(inputs), len(inputs))
    status = DeviceStatus.from_body(channel.ask(StatusRequest(), _ANSWER_LIMIT_S))
    _check_canaries(status.broken)
    _check_runs(status.runs, hello.runs + len(inputs))
    return Measurement(
        target=firmware.target.name,
        engine=hello.engine,
        model_sha256=hello.model_sha256,
        clock=link.clock,
        per_run=tuple(per_run),
        arena_bytes=hello.arena_bytes,
        engine_bytes=hello.engine_bytes,
        stack_peak_bytes=status.stack_peak_bytes,
        outputs_compared=len(per_run),
        outputs_match=True,
        link=link.description,
        emulator=link.emulator,
    )


def collect(
    link: Link, firmware: Firmware, inputs: tuple[bytes, ...], progress: Progress = silent
) -> tuple[bytes, ...]:
    """Run one inference for each input and return what the device answers, compared with nothing.

    Args:
        link: an open byte pipe to a device that runs `firmware`.
        firmware: what was built; its model must be the one in the device.
        inputs: for each inference the bytes of all inputs, laid end to end.
        progress: told after each inference.

    Returns:
        For each inference the bytes of all outputs.

    Raises:
        DeviceError: the device is silent, went away, restarted, or reports a fault.
        UntrustworthyError: it runs another model, failed its self-test, or overran memory.
    """
    channel = Channel(link)
    hello = _meet(channel, link, firmware, progress)
    outputs = []
    for index, sample in enumerate(inputs):
        progress("inference on the device", index, len(inputs))
        outputs.append(_answer(channel, hello, sample, index)[0])
    _check_canaries(DeviceStatus.from_body(channel.ask(StatusRequest(), _ANSWER_LIMIT_S)).broken)
    return tuple(outputs)


def _meet(channel: Channel, link: Link, firmware: Firmware, progress: Progress) -> Hello:
    progress("bench: wait for the device")
    hello = Hello.from_body(channel.ask(HelloRequest(), _HELLO_LIMIT_S))
    _check_hello(hello, link, firmware)
    return hello


def _answer(channel: Channel, hello: Hello, sample: bytes, index: int) -> tuple[bytes, Inference]:
    """One inference and all of its output, whole and unchanged since it was computed."""
    channel.ask_all(loads(sample), _ANSWER_LIMIT_S)
    done = Inference.from_body(channel.ask(Infer(crc32(sample)), _INFERENCE_LIMIT_S))
    _check_inference(done, hello.runs + index + 1)
    output = b"".join(channel.ask_all(reads(hello.output_bytes), _ANSWER_LIMIT_S))
    if crc32(output) != done.output_crc:
        raise UntrustworthyError(
            f"the output of inference {index} changed before it was read",
            hint="check the board's supply, and that no other program uses the port",
        )
    return output, done


def _in_clock(ticks: int, link: Link, hello: Hello) -> float:
    """Ticks in the unit of the link's clock: instructions where it counts them, else microseconds."""
    if ticks == 0:
        raise UntrustworthyError(
            "the device's timer stood still during an inference",
            hint="the port's ek_port_ticks does not run on this core; use a target that fits the board",
        )
    return ticks * link.tick_ns if link.tick_ns else ticks / hello.tick_hz * 1e6


def _check_hello(hello: Hello, link: Link, firmware: Firmware) -> None:
    """Refuse a device that cannot give figures of this build."""
    if hello.self_test:
        raise UntrustworthyError(
            f"the core computes wrongly: check {hello.self_test} of its self-test failed, so no result is shown",
            hint="an emulator needs the version that `edgekit doctor` names; on a board check clock and supply",
        )
    if (hello.model_sha256, hello.engine) != (firmware.model_sha256, firmware.engine):
        raise UntrustworthyError(
            f"the device runs model {hello.model_sha256[:12]} on engine {hello.engine}, "
            f"expected {firmware.model_sha256[:12]} on {firmware.engine}",
            hint="flash this build first: `edgekit flash`",
        )
    if hello.init_code == MODEL_DAMAGED:
        raise DeviceError(
            "the model in the device's flash is damaged: the CRC-32 of its constants is not that of the build, so "
            "nothing was run",
            hint="flash this build again: `edgekit flash`; where that does not last, check the supply and the flash",
        )
    if hello.init_code:
        raise DeviceError(
            f"the model could not be set up on the device (code {hello.init_code}), expected 0",
            hint="with --engine tflm the arena may be too small for this core; try --engine aot",
        )
    if hello.emulated and not link.tick_ns:
        raise UntrustworthyError(
            f"{link.description} is an emulated core, so its timer measures no time",
            hint="leave --port out: then the emulator is started and its instructions are counted",
        )
    if not hello.tick_hz:
        raise UntrustworthyError(
            "the device's timer has 0 ticks per second", hint="rebuild and flash the firmware: `edgekit flash`"
        )


def _check_sizes(hello: Hello, inputs: tuple[bytes, ...], expected: tuple[bytes, ...]) -> None:
    if len(inputs) != len(expected):
        raise DataError(
            f"{len(inputs)} inputs came with {len(expected)} expected outputs", hint="give one output for each input"
        )
    wanted = (hello.input_bytes, hello.output_bytes)
    for index, pair in enumerate(zip(inputs, expected, strict=True)):
        if (len(pair[0]), len(pair[1])) != wanted:
            raise DataError(
                f"sample {index} has {len(pair[0])} input and {len(pair[1])} output bytes, the model on the device "
                f"{wanted[0]} and {wanted[1]}",
                hint="give int8 samples in the model's shape, all inputs of a sample laid end to end",
            )


def _check_inference(done: Inference, runs: int) -> None:
    _check_canaries(done.broken)
    if done.invoke_code:
        raise DeviceError(
            f"the inference failed on the device (code {done.invoke_code}), expected 0",
            hint="try --engine aot; if it stays, report the model as a fault of EdgeKit",
        )
    _check_runs(done.runs, runs)


def _check_runs(runs: int, expected: int) -> None:
    """A restarted device counts from one again; its earlier state, the stack's mark among it, is gone."""
    if runs != expected:
        raise DeviceError(
            f"the device counts {runs} inferences, expected {expected}: it restarted during the run",
            hint="check the supply (a brown-out resets a board) and that no other program uses the port",
        )


def _check_canaries(broken: int) -> None:
    if broken:
        where = ", ".join(str(canary.name) for canary in Canary if canary & broken) or f"bits {broken:#x}"
        raise UntrustworthyError(
            f"memory beside the model was overwritten ({where.lower().replace('_', ' ')}), so no result is shown",
            hint="stack: build with a larger stack; arena: report the model as a fault of EdgeKit",
        )


def _check_output(output: bytes, truth: bytes, index: int) -> None:
    wrong = [place for place, (got, wanted) in enumerate(zip(output, truth, strict=True)) if got != wanted]
    if wrong:
        raise UntrustworthyError(
            f"inference {index}: {len(wrong)} of {len(truth)} output bytes differ from the host's; the first is byte "
            f"{wrong[0]}: {output[wrong[0]]:#04x}, expected {truth[wrong[0]]:#04x}",
            hint="build and flash again; if it stays, report the model as a fault of EdgeKit",
        )
