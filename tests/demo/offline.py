"""What can be seen without a cluster: what a Workload is made into, who decides on it, and refusals."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.demo.democluster import Unexpected
from tests.demo.policystep import POLICY

if TYPE_CHECKING:
    from tests.demo.printer import Printer

_EXAMPLE = "examples/container.yaml"
_NEEDS_ITS_NODE = """\
apiVersion: twinhull.dev/v1alpha1
kind: Workload
metadata: {name: agent}
spec:
  isolationPolicy: VirtualMachine
  template:
    spec:
      hostPID: true
      containers: [{name: agent, image: "nginx:1.29"}]
"""


def run(printer: Printer, folder: Path) -> None:
    """Runs `twinhull render` and `twinhull explain`, with what they read in `folder`. Raises Unexpected."""
    printer.say("One field of a Workload says where it runs. This is made of the same example each time:")
    for isolation in ("Container", "VirtualMachine"):
        made = _twinhull(printer, f"render {_EXAMPLE} --isolation {isolation}", only=("kind: ",))
        if (hull := "VirtualMachine" if isolation == "VirtualMachine" else "Pod") not in made:
            raise Unexpected(f"a {hull} for isolation {isolation}", hull, made)
    printer.say("A policy can raise it, whatever its owner asked for:")
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    options = f"-f {_EXAMPLE} --policies {folder / 'policy.yaml'} --namespace-labels trust=low"
    _twinhull(printer, f"explain {options}")
    printer.say("What a machine can't honour is refused, with what to do, and never dropped:")
    (folder / "agent.yaml").write_text(_NEEDS_ITS_NODE, encoding="utf-8")
    _twinhull(printer, f"render {folder / 'agent.yaml'}", code=1)
    printer.good("docs/parity.md says so of every field of a Pod template")


def _twinhull(printer: Printer, line: str, *, only: tuple[str, ...] = (), code: int = 0) -> str:
    """Runs a command and shows it with its output, of which `only` lines that begin so. The output."""
    command = [sys.executable, "-m", "twinhull", *shlex.split(line)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise Unexpected(f"the exit code of twinhull {line}", code, f"{done.returncode}: {done.stderr}")
    output = done.stdout + done.stderr
    if only:
        output = "\n".join(text for text in output.splitlines() if text.startswith(only))
    shown = f" | grep '^{only[0]}'" if only else ""
    printer.command(f"twinhull {line}{shown}", output)
    return output
