"""python -m tests.demo.recording: docs/recording.svg, a terminal in which these commands were really run."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from contextlib import ExitStack, suppress
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from tests.controlplane import ControlPlane
from tests.demo.democluster import DemoCluster
from tests.demo.printer import Printer
from tests.operator_process import OperatorProcess

_ROOT = Path(__file__).parents[2]
TARGET = _ROOT / "docs" / "recording.svg"
#: What a person types. Each is run on a real control plane, whose nodes are simulated.
COMMANDS = (
    "kubectl apply -f web.yaml",
    "twinhull list",
    "twinhull flip web --to machine --wait",
    "twinhull status web",
    "twinhull flip web --to container --wait",
)
_WEB = """\
apiVersion: twinhull.dev/v1alpha1
kind: Workload
metadata:
  name: web
spec:
  isolationPolicy: Container
  template:
    spec:
      containers:
      - name: web
        image: nginx:1.29
        ports:
        - {name: http, containerPort: 80}
"""
_COLUMNS = 110
#: Without fonts from elsewhere: what shows a page's pictures doesn't load them.
_FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def main() -> None:
    """Run the commands and write the picture."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twinhull-recording-")))
        plane = ControlPlane.start(folder / "control-plane", say=lambda line: print(line, file=sys.stderr))
        stack.callback(plane.stop)
        plane.kubectl("apply", "-f", str(_ROOT / "crds"))
        plane.eventually(lambda: plane.api.path("Workload"), 30, "the API server has the kind Workload")
        operator = OperatorProcess.start(plane.kubeconfig, folder / "operator.log")
        stack.callback(operator.stop)
        (folder / "web.yaml").write_text(_WEB, encoding="utf-8")
        demo = DemoCluster(plane, operator, Printer(io.StringIO()))
        TARGET.write_text(picture([(line, _run(demo, folder, line)) for line in COMMANDS]), encoding="utf-8")
    print(f"made {TARGET.relative_to(_ROOT)}")


def picture(session: list[tuple[str, str]]) -> str:
    """An SVG of a terminal with these commands and what they printed."""
    console = Console(record=True, width=_COLUMNS, file=io.StringIO(), force_terminal=True)
    for line, output in session:
        console.print(Text.assemble(("$ ", "bold green"), (line, "bold")))
        console.print(Text.from_ansi(output.rstrip()), "")
    return console.export_svg(title="twinhull", code_format=_FORMAT, unique_id="twinhull")


def _run(demo: DemoCluster, folder: Path, line: str) -> str:
    """What a command prints; the next is typed once the Workload is Ready."""
    program, *arguments = shlex.split(line.replace("web.yaml", str(folder / "web.yaml")))
    first = (
        [sys.executable, "-m", "twinhull"] if program == "twinhull" else [str(demo.cluster.kubectl.program)]
    )
    output = in_terminal([*first, *arguments], demo.cluster.kubeconfig)
    demo.ready("web")
    return output


def in_terminal(command: list[str], kubeconfig: Path) -> str:
    """What a command shows in a terminal. Raises CalledProcessError if it fails."""
    main, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, _COLUMNS, 0, 0))
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "TERM": "xterm-256color"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as running:
        os.close(theirs)
        shown = bytearray()
        with suppress(OSError):  # Linux' word for a terminal that nobody has any more
            while piece := os.read(main, 1 << 16):
                shown += piece
        os.close(main)
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, command, shown.decode(errors="replace"))
    return _lines(shown.decode())


def _lines(shown: str) -> str:
    """What stays on a terminal: of a line that is written over again only the last."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in shown.split("\n"))
    return "\n".join(line.replace("\x1b[K", "") for line in lines)


if __name__ == "__main__":
    main()
