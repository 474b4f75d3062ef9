"""Frames in Python and in C: both accept the same payloads of any stream, and no damaged one."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest
from c_harness import compile_c
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.harness import frames

payloads = st.binary(min_size=1, max_size=frames.REQUEST_PAYLOAD_BYTES)


@given(st.lists(payloads), st.integers(1, 80))
def test_every_payload_arrives_in_portions_of_any_size(sent: list[bytes], portion: int) -> None:
    stream = b"".join(map(frames.encode, sent))
    reader = frames.FrameReader()
    got = [payload for at in range(0, len(stream), portion) for payload in reader.feed(stream[at : at + portion])]
    assert got == sent


@given(payloads)
def test_a_request_fits_a_receive_fifo_twice(payload: bytes) -> None:
    assert len(frames.encode(payload)) <= frames.REQUEST_FRAME_BYTES


@given(payloads, st.integers(0), st.integers(1, 255))
def test_no_damaged_byte_is_accepted(payload: bytes, where: int, change: int) -> None:
    frame = bytearray(frames.encode(payload))
    frame[where % len(frame)] ^= change
    assert frames.FrameReader().feed(bytes(frame)) in ([], [payload])  # a delimiter may be damaged without harm


def test_noise_without_end_is_bounded() -> None:
    reader = frames.FrameReader()
    for _ in range(100):
        assert reader.feed(b"x" * 1000) == []
    assert reader.feed(frames.encode(b"after")) == [b"after"]


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_c(tmp_path_factory.mktemp("frames") / "echo", ["frame.c", "own:frame_echo.c"])


def through_c(echo: Path, stream: bytes) -> list[bytes]:
    ran = subprocess.run([str(echo)], input=stream, capture_output=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    return frames.FrameReader().feed(ran.stdout)


def in_python(stream: bytes) -> list[bytes]:
    return [payload for payload in frames.FrameReader().feed(stream) if len(payload) <= frames.REQUEST_PAYLOAD_BYTES]


def test_c_answers_every_length_and_zeros(echo: Path) -> None:
    sent = [bytes(length) for length in range(1, 58)] + [b"\xff" * length for length in range(1, 58)]
    assert through_c(echo, b"".join(map(frames.encode, sent))) == sent


def test_c_refuses_a_payload_too_long_and_goes_on(echo: Path) -> None:
    assert through_c(echo, frames.encode(bytes(58)) + frames.encode(b"\1" * 300) + frames.encode(b"next")) == [b"next"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(payloads.map(frames.encode), st.binary(max_size=90))))
def test_c_and_python_accept_the_same(echo: Path, pieces: list[bytes]) -> None:
    stream = b"".join(pieces)
    assert through_c(echo, stream) == in_python(stream)


def test_c_and_python_accept_the_same_of_50_000_damaged_frames(echo: Path) -> None:
    chance = random.Random(11)
    sent, stream = set(), bytearray()
    for _ in range(50_000):
        payload = chance.randbytes(chance.randint(1, 57))
        sent.add(payload)
        frame = bytearray(frames.encode(payload))
        for _ in range(chance.randint(0, 2)):
            frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)
        del frame[: chance.choice([0, 0, 0, 0, 1, 5])]
        stream += frame
    accepted = in_python(bytes(stream))
    assert through_c(echo, bytes(stream)) == accepted
    assert 10_000 < len(accepted) < 45_000
    assert sent.issuperset(accepted)
