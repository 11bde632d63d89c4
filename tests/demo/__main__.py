"""python -m tests.demo [boot]: starts all, takes the steps, stops all. Exit status 0 if everything was so.

With `boot` one Workload's machine really boots; without, three Workloads are flipped on simulated nodes.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack, chdir
from pathlib import Path

from tests.controlplane import ApiError, BuildError, ComponentDied, ControlPlane, KubectlError, NeverHappened
from tests.demo import bootsteps, building, offline, steps
from tests.demo.democluster import DemoCluster, Unexpected
from tests.demo.printer import Printer
from tests.operator_process import OperatorProcess

_ROOT = Path(__file__).parents[2]
_FAILURES = (ApiError, BuildError, ComponentDied, KubectlError, NeverHappened, Unexpected)
_LOG_TAIL = 20  # lines


def main() -> int:
    """The demo; its exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    printer = Printer(sys.stdout)
    folder = Path(tempfile.mkdtemp(prefix="twinhull-demo-"))
    try:
        _run(printer, folder)
    except KeyboardInterrupt:
        printer.say("interrupted; everything is stopped")
        shutil.rmtree(folder)
        return 130
    except _FAILURES as failure:
        logs = isinstance(failure, ComponentDied)  # it ends with that log itself
        printer.failure(f"{failure}\n{'' if logs else _last_words(folder)}\nAll logs are kept in {folder}.")
        return 1
    shutil.rmtree(folder)
    printer.summary()
    return 0


def _run(printer: Printer, folder: Path) -> None:
    with ExitStack() as stack:
        stack.enter_context(chdir(_ROOT))
        builds = stack.enter_context(building.in_background(folder))
        with printer.step("See what a Workload becomes, without a cluster"):
            offline.run(printer, folder)
        if builds is not None:
            with printer.step("Build the control plane, which later runs find in ~/.cache/twinhull"):
                builds.wait(printer)
        with printer.step("Start a control plane"):
            printer.say(
                "The real kube-apiserver, etcd, controllers and scheduler, and KubeVirt's, on loopback."
            )
            printer.say("Only the nodes are simulated: KWOK answers for kubelet and virt-handler.")
            plane = ControlPlane.start(folder / "control-plane", say=printer.progress)
            stack.callback(plane.stop)
        boots = sys.argv[1:] == ["boot"]
        if boots:
            with printer.step("Make what the machine boots, and an image to run in it"):
                setup = stack.enter_context(bootsteps.boot_setup(printer, folder))
        with printer.step("Install the CustomResourceDefinition and run the operator"):
            printer.command("kubectl apply -f crds/", plane.kubectl("apply", "-f", "crds/"))
            plane.eventually(lambda: plane.api.path("Workload"), 30, "the API server has the kind Workload")
            options = setup.options if boots else ("--sandbox-runtime-class", "gvisor")
            operator = OperatorProcess.start(plane.kubeconfig, folder / "operator.log", *options)
            stack.callback(operator.kill)
            printer.good(f"twinhull run {' '.join(options)}: it has listed the cluster and is ready")
        demo = DemoCluster(plane, operator, printer)
        if boots:
            bootsteps.run(demo, setup)
        else:
            steps.run(demo)
        with printer.step("Stop everything"):
            operator.stop()
            complaints = [
                line for line in _lines(operator.process.log) if "ERROR" in line or "Traceback" in line
            ]
            demo.expect("errors in the operator's log", complaints, [])
            plane.stop()


def _last_words(folder: Path) -> str:
    """The end of the operator's log, once there is one."""
    lines = [f"| {line}" for line in _lines(folder / "operator.log")[-_LOG_TAIL:]]
    return "\n".join(["", "The end of the operator's log:", *lines]) if lines else ""


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []


if __name__ == "__main__":
    sys.exit(main())
