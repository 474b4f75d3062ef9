"""Sizes as people write them."""

from __future__ import annotations

import pytest

from edgekit.errors import UsageError
from edgekit.sizes import count, size_bytes


@pytest.mark.parametrize(
    ("text", "size"),
    [("37000", 37000), (37000, 37000), ("37,000", 37000), ("36KiB", 36864), ("1.5 kib", 1536), ("2MB", 2_000_000)],
)
def test_what_a_text_means(text: str | int, size: int) -> None:
    assert size_bytes(text, name="--max-ram") == size


@pytest.mark.parametrize("text", ["", "0", "-5", "many", "3 GiB", "0.3", "1e5", "inf", "KiB", 0, -1])
def test_no_size(text: str | int) -> None:
    with pytest.raises(UsageError, match="expected a size in bytes"):
        size_bytes(text, name="--max-ram")


@pytest.mark.parametrize("text", ["", "0", "5x", "1.5", "-3", "5 MiB"])
def test_no_count(text: str) -> None:
    with pytest.raises(UsageError, match="expected a number"):
        count(text, name="--max-instructions")
