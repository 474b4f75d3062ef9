"""The device's C code, compiled for this computer and spoken to over a real byte pipe."""

from __future__ import annotations

from binascii import crc32
from pathlib import Path

import pytest
from c_harness import compile_firmware
from fake_firmware import firmware, model, samples

from edgekit.deploy import emulate_host
from edgekit.errors import DeviceError, EdgeKitError, UntrustworthyError
from edgekit.harness import channel as channel_module
from edgekit.harness import frames
from edgekit.harness.channel import Channel
from edgekit.harness.fake import Noise, NoisyLink
from edgekit.harness.measure import Measurement, measure
from edgekit.harness.protocol import (
    DeviceStatus,
    HelloRequest,
    Infer,
    Inference,
    LoadInput,
    ReadOutput,
    Reply,
    Request,
    StatusRequest,
    loads,
    request_payload,
)

INPUTS = samples(6)
EXPECTED = tuple(model(sample) for sample in INPUTS)


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_firmware(tmp_path_factory.mktemp("firmware") / "firmware.elf")


def run(elf: Path) -> Measurement:
    with emulate_host.open(firmware(elf)) as link:
        return measure(link, firmware(elf), INPUTS, EXPECTED)


def test_every_byte_is_right_and_the_stack_is_seen(elf: Path) -> None:
    measured = run(elf)
    assert (measured.outputs_compared, measured.outputs_match, measured.clock) == (6, True, "host")
    assert all(0 < latency_us < 1e6 for latency_us in measured.per_run)
    assert measured.stack_peak_bytes == 4  # the test port touches the highest word of its stack, and nothing else
    assert (measured.arena_bytes, measured.engine_bytes, measured.engine) == (272, 0, "aot")


def test_a_wrong_byte_is_refused(elf: Path) -> None:
    wrong = EXPECTED[2][:-1] + bytes([EXPECTED[2][-1] ^ 0x80])
    with (
        emulate_host.open(firmware(elf)) as link,
        pytest.raises(UntrustworthyError, match=r"inference 2: 1 of 133 output bytes differ.* byte 132"),
    ):
        measure(link, firmware(elf), INPUTS, (*EXPECTED[:2], wrong, *EXPECTED[3:]))


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (1, UntrustworthyError, "arena high"),
        (2, UntrustworthyError, "arena low"),
        (3, DeviceError, "code 17"),
        (4, UntrustworthyError, "check 3"),
        (5, UntrustworthyError, "stack"),
    ],
)
def test_a_fault_in_the_device_is_told(fault: int, error: type[EdgeKitError], words: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=words):
        run(compile_firmware(tmp_path / "firmware.elf", fault))


def raw(link: emulate_host.HostLink, request: Request, sequence: int) -> Reply:
    """Send one request with a sequence number of our choice, once."""
    link.write(frames.encode(request_payload(request, sequence)))
    reader = frames.FrameReader()
    while True:
        data = link.read(10)
        assert data, "the firmware is silent"
        for payload in reader.feed(data):
            reply = Reply.from_payload(payload)
            assert reply is not None
            return reply


def test_a_repeated_inference_is_answered_and_not_run_again(elf: Path) -> None:
    with emulate_host.open(firmware(elf)) as link:
        for sequence, load in enumerate(loads(INPUTS[0])):
            raw(link, load, sequence)
        infer = Infer(crc32(INPUTS[0]))
        first = raw(link, infer, 100)
        assert first.status == 0
        assert raw(link, infer, 100) == first
        assert Inference.from_body(first.body).runs == 1
        assert raw(link, infer, 101).status == 3  # a new one finds its input overwritten
        assert DeviceStatus.from_body(raw(link, StatusRequest(), 102).body).runs == 1
        raw(link, HelloRequest(), 103)
        assert raw(link, infer, 100).status == 3  # a new host's numbers are its own


@pytest.mark.parametrize(
    "request_",
    [
        LoadInput(128, b"x"),
        LoadInput(0xFFFF_FFFF, b"xy"),
        LoadInput(120, bytes(9)),
        ReadOutput(133, 1),
        ReadOutput(0xFFFF_FFF0, 32),
        ReadOutput(0, 129),
    ],
)
def test_out_of_range_is_refused(elf: Path, request_: Request) -> None:
    with emulate_host.open(firmware(elf)) as link, pytest.raises(DeviceError, match="status 2"):
        Channel(link).ask(request_, 10)


def test_an_unknown_request_is_refused(elf: Path) -> None:
    class Unknown(HelloRequest):
        kind = 99  # type: ignore[assignment]

    with emulate_host.open(firmware(elf)) as link:
        assert raw(link, Unknown(), 1).status == 1


@pytest.mark.parametrize("seed", range(8))
def test_never_a_wrong_number_over_a_bad_line(elf: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_module, "_FIRST_PATIENCE_S", 0.05)
    monkeypatch.setattr(channel_module, "_LAST_PATIENCE_S", 0.1)
    noise = Noise(seed, bit_flip=0.002, drop=0.002, duplicate=0.002, burst=0.001, banner=0.001)
    with emulate_host.open(firmware(elf)) as link:
        measured = measure(NoisyLink(link, noise), firmware(elf), INPUTS, EXPECTED)
    assert measured.outputs_compared == len(INPUTS)
    assert measured.stack_peak_bytes == 4


def test_a_process_that_ends_is_told(tmp_path: Path) -> None:
    script = tmp_path / "firmware.elf"
    script.write_text("#!/bin/sh\nexit 3\n")
    script.chmod(0o755)
    with emulate_host.open(firmware(script)) as link, pytest.raises(DeviceError, match="exit code 3"):
        measure(link, firmware(script), INPUTS, EXPECTED)


def test_a_file_that_cannot_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(EdgeKitError) as caught:
        emulate_host.open(firmware(tmp_path / "absent.elf"))
    assert caught.value.exit_code == 4
