"""The harness against a device in memory: the truth or a typed error, whatever the line and the device do."""

from __future__ import annotations

import dataclasses

import pytest
from fake_firmware import HELLO, OUTPUT_BYTES, SHA256, firmware, model, samples
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.errors import DataError, DeviceError, EdgeKitError, UntrustworthyError
from edgekit.harness.fake import FakeDevice, Faults, Noise, NoisyLink
from edgekit.harness.measure import Measurement, measure

INPUTS = samples(4)
EXPECTED = tuple(model(sample) for sample in INPUTS)
# The fake counts 1000 + n ticks of a nanosecond in run n; `measure` says microseconds.
TRUTH = tuple(pytest.approx(1.0 + run / 1000) for run in (1, 2, 3, 4))


def run(device: FakeDevice | NoisyLink) -> Measurement:
    return measure(device, firmware(), INPUTS, EXPECTED)


def test_a_sound_device_is_measured() -> None:
    measured = run(FakeDevice(model, HELLO))
    assert measured.per_run == TRUTH
    assert (measured.target, measured.engine, measured.model_sha256) == ("host", "aot", SHA256)
    assert (measured.clock, measured.arena_bytes, measured.stack_peak_bytes) == ("hardware timer", 272, 512)
    assert (measured.outputs_compared, measured.outputs_match) == (4, True)


def test_instructions_are_ticks_times_their_length() -> None:
    hello = dataclasses.replace(HELLO, emulated=True, tick_hz=40_000_000)
    measured = run(FakeDevice(model, hello, tick_ns=25))
    assert measured.per_run == (25_025, 25_050, 25_075, 25_100)
    assert measured.clock == "instructions, emulated"


def test_an_unpaintable_stack_is_unknown() -> None:
    assert run(FakeDevice(model, HELLO, stack_peak_bytes=None)).stack_peak_bytes is None


def test_progress_is_told() -> None:
    told: list[tuple[str, int, int | None]] = []

    def progress(what: str, done: int = 0, total: int | None = None) -> None:
        told.append((what, done, total))

    measure(FakeDevice(model, HELLO), firmware(), INPUTS, EXPECTED, progress)
    assert told[-1] == ("bench: inference", 4, 4)


@pytest.mark.parametrize(
    ("faults", "error", "words"),
    [
        (Faults(silent_after=1), DeviceError, "no answer to load_input"),
        (Faults(silent_after=10), DeviceError, "no answer"),
        (Faults(unplug_after=6), DeviceError, "went away"),
        (Faults(wrong_output=True), UntrustworthyError, "1 of 133 output bytes differ"),
        (Faults(output_changes=True), UntrustworthyError, "changed before it was read"),
        (Faults(invoke_code=17), DeviceError, "code 17"),
        (Faults(broken=1), UntrustworthyError, "arena low"),
        (Faults(broken=6), UntrustworthyError, "arena high, stack"),
        (Faults(broken=64), UntrustworthyError, "0x40"),
        (Faults(ticks=0), UntrustworthyError, "stood still"),
        (Faults(reset_after=3), UntrustworthyError, "input in the device"),
        (Faults(reset_after=7), DeviceError, "restarted"),
    ],
)
def test_a_faulty_device_is_refused(faults: Faults, error: type[EdgeKitError], words: str) -> None:
    with pytest.raises(error, match=words):
        run(FakeDevice(model, HELLO, faults=faults))


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"model_sha256": "f" * 64}, UntrustworthyError, "ffffffffffff on engine aot"),
        ({"engine": "tflm"}, UntrustworthyError, "engine tflm"),
        ({"self_test": 3}, UntrustworthyError, "check 3"),
        ({"init_code": 1}, DeviceError, "set up"),
        ({"init_code": 256}, DeviceError, "flash is damaged"),
        ({"emulated": True}, UntrustworthyError, "measures no time"),
        ({"tick_hz": 0}, UntrustworthyError, "0 ticks"),
        ({"input_bytes": 127}, DataError, "sample 0 has 128 input"),
        ({"output_bytes": 1}, DataError, "the model on the device"),
    ],
)
def test_a_wrong_hello_is_refused(changes: dict[str, object], error: type[EdgeKitError], words: str) -> None:
    with pytest.raises(error, match=words):
        run(FakeDevice(model, dataclasses.replace(HELLO, **changes)))  # type: ignore[arg-type]


def test_a_silent_device_is_quoted() -> None:
    with pytest.raises(DeviceError, match=r"POWERON_RESET.*SPI_FAST_FLASH_BOOT.*\\r\\n") as caught:
        run(_Mute())
    assert "reset" in caught.value.hint


class _Mute(FakeDevice):
    """Sends its banner and never more."""

    def __init__(self) -> None:
        super().__init__(model, HELLO)

    def write(self, data: bytes) -> None:
        pass


def test_nothing_received_is_said() -> None:
    device = _Mute()
    device.read(0)
    with pytest.raises(DeviceError, match="nothing at all"):
        run(device)


def test_a_second_session_on_a_running_device_counts_on() -> None:
    device = FakeDevice(model, HELLO)
    assert run(device).per_run == TRUTH
    assert run(device).per_run[0] == pytest.approx(1.005)


def test_inputs_and_outputs_come_in_pairs() -> None:
    with pytest.raises(DataError, match="4 inputs came with 3"):
        measure(FakeDevice(model, HELLO), firmware(), INPUTS, EXPECTED[:3])


def true_or_refused(noise: Noise, faults: Faults, emulator: str | None = None) -> bool:
    """Hold the promise: the truth, or a typed error. Returns whether it was the truth."""
    try:
        measured = run(NoisyLink(FakeDevice(model, HELLO, faults=faults, emulator=emulator), noise))
    except (DeviceError, UntrustworthyError):
        return False
    assert measured.per_run == TRUTH
    assert (measured.stack_peak_bytes, measured.outputs_compared) == (512, 4)
    # A reset while hello is still being repeated loses nothing; what the device does wrong is never excused.
    assert not (faults.wrong_output or faults.broken or faults.unplug_after)
    return True


rates = st.sampled_from([0.0, 0.0005, 0.003, 0.02])


@settings(max_examples=150, deadline=None)
@given(
    noise=st.builds(
        Noise, seed=st.integers(0, 2**32), bit_flip=rates, drop=rates, duplicate=rates, burst=rates, banner=rates
    ),
    faults=st.sampled_from(
        [Faults(), Faults(), Faults(reset_after=5), Faults(wrong_output=True), Faults(unplug_after=9), Faults(broken=2)]
    ),
    emulator=st.sampled_from([None, "fake, several requests at once"]),
)
def test_never_a_wrong_number(noise: Noise, faults: Faults, emulator: str | None) -> None:
    true_or_refused(noise, faults, emulator)


@pytest.mark.parametrize("emulator", [None, "fake, several requests at once"])
@pytest.mark.parametrize("kind", ["bit_flip", "drop", "duplicate", "banner"])
def test_a_line_that_damages_one_byte_in_300_still_delivers(kind: str, emulator: str | None) -> None:
    delivered = [true_or_refused(Noise(seed, **{kind: 1 / 300}), Faults(), emulator) for seed in range(40)]
    assert sum(delivered) >= 38


def test_a_reset_at_any_moment_is_noticed() -> None:
    """Behind every request of a run but the first (nothing was there to lose) and the last (nothing follows)."""
    requests = 1 + len(INPUTS) * (3 + 1 + 2) + 1
    for moment in range(2, requests):
        with pytest.raises((DeviceError, UntrustworthyError)):
            run(FakeDevice(model, HELLO, faults=Faults(reset_after=moment)))


def test_the_model_s_outputs_are_as_long_as_said() -> None:
    assert len(EXPECTED[0]) == OUTPUT_BYTES
