"""The progress that CDI reports for a disk."""

from __future__ import annotations

import pytest

from twinhull.hulls.importprogress import rounded_down, whole_percent


@pytest.mark.parametrize(
    ("progress", "whole", "written"),
    [
        ("45.32%", 45, "45%"),
        ("99.99%", 99, "99%"),
        ("100.0%", 100, "100%"),
        ("N/A", None, "N/A"),
        ("", None, ""),
        ("nan%", None, "nan%"),
        ("inf%", None, "inf%"),
        ("-3%", 0, "0%"),
        ("1e999999%", 100, "100%"),
    ],
)
def test_progress_is_written_in_whole_percent(progress: str, whole: int | None, written: str) -> None:
    assert whole_percent(progress) == whole
    assert rounded_down(progress) == written
