"""A headless Chromium that takes a picture of a page."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.metrics.picture.page import NotDrawn

_NAMES = ("chromium", "chromium-browser", "google-chrome")
#: It asks nobody but the page for anything. From that page there is nothing to protect, so it needs no
#: sandbox, which root can't have.
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_PATIENCE = 180  # seconds


def browser() -> str:
    """The browser's path. Raises NotDrawn if there is none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise NotDrawn("Chromium is needed: apt-get install chromium")
    return found


def screenshot(url: str, size: tuple[int, int], picture: Path) -> None:
    """Take a picture of a page when it is loaded, in UTC; `size` is in pixels. Raises NotDrawn."""
    width, height = size
    with tempfile.TemporaryDirectory(prefix="twinhull-browser-", ignore_cleanup_errors=True) as profile:
        command = [
            *(browser(), *_OPTIONS, f"--user-data-dir={profile}"),
            *(f"--window-size={width},{height}", f"--screenshot={picture}", url),
        ]
        try:
            done = subprocess.run(
                command,
                env={**os.environ, "TZ": "UTC"},
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise NotDrawn(f"Chromium has taken no picture in {_PATIENCE} s") from late
    if done.returncode or not picture.exists():
        raise NotDrawn(f"Chromium ended with {done.returncode}:\n{done.stderr}")
