"""python -m tests.metrics.picture (`make picture`): draws the dashboard into docs/images/dashboard.png."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.controlplane import ApiError, BuildError, ComponentDied, KubectlError, NeverHappened
from tests.metrics.picture import page
from tests.metrics.picture.browser import browser, screenshot
from tests.metrics.picture.page import NotDrawn, Stand
from tests.metrics.picture.run import Run, lived
from tests.metrics.questions import panels

PICTURE = Path(__file__).parents[3] / "docs" / "images" / "dashboard.png"

_SECONDS = 320.0
_WIDTH = 1400
_MOST = 420_000  # bytes
_FAILURES = (ApiError, BuildError, ComponentDied, KubectlError, NeverHappened, NotDrawn)


def main() -> int:
    """The picture; an exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twinhull-picture-")))
            browser()
            _say("Building the page …")
            page.build()
            _say("Starting a control plane, two operators and a Prometheus …")
            run = lived(stack, folder, _SECONDS, _say)
            _say("Drawing …")
            draw(run, folder, PICTURE)
    except KeyboardInterrupt:
        return 130
    except _FAILURES as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        return 1
    return 0


def draw(run: Run, folder: Path, picture: Path) -> None:
    """Draw the dashboard over a run, with what is left on the way in `folder`. Raises NotDrawn."""
    made = folder / "made.png"
    with Stand.open(run) as stand:
        screenshot(stand.url, (_WIDTH, _height()), made)
        stand.check()
    size = made.stat().st_size
    if size > _MOST:
        raise NotDrawn(f"the picture has {size} bytes, more than {_MOST}")
    picture.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(made, picture)
    _say(f"{picture.name}: {size // 1000} kB")


def _height() -> int:
    """Pixels: Grafana's rows of 30, 8 between them, and the page's header and margin (page/main.tsx)."""
    rows: int = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels())
    return 40 + rows * 38 + 8


def _say(text: str) -> None:
    print(f"   {text.strip()}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
