"""python -m tests.builds [control-plane]: builds all that `make test` or `make demo` needs, in that order.

They have it run in the background from their start. What is in the cache already takes no time.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import click

from guest.image import build as guest_image
from guest.image.errors import ImageError
from guest.image.tools import Tools
from tests.controlplane import build
from tests.controlplane.kubevirt import Installation
from tests.disksystem.exports import Exports
from tests.guest.reference.programs import Programs as ReferencePrograms
from tests.importer import root as importer_root
from tests.node import namespaces
from tests.node.cluster import Files
from tools import cache
from tools.gobuild import BuildError

Say = Callable[[str], None]
#: Of those who wait for a processor, builds are the last: tests have deadlines. But not where the kernel
#: shares processors among sessions (sched(7), autogrouping).
_NICENESS = 10


@dataclass(frozen=True)
class Part:
    """Something that is built."""

    #: What it is called in messages.
    name: str
    #: Makes it if it isn't in the cache.
    make: Callable[[Say], object]


def _programs(*names: str) -> Callable[[Say], object]:
    return lambda say: build.programs(names, say)


def _machines(say: Say) -> None:
    """The nodes only where there can be any: elsewhere their tests are skipped."""
    guest_image.build(say)
    Tools.ready(say)
    ReferencePrograms.build()
    Exports.ready(say)
    if not namespaces.obstacle():
        Files.ready()


def _cdi(say: Say) -> None:
    build.programs((*build.CDI, *build.OBJECT_STORE), say)
    importer_root.ready(say)


#: What the control plane of `make demo` and of nearly all tests is made of.
CONTROL_PLANE = (
    Part("the control plane", _programs(*build.KUBERNETES)),
    Part("KubeVirt", Installation().programs),
)
#: The guest's image, and what the tests of machines need beside it.
MACHINES = Part("the guest's image and the real nodes", _machines)
#: In the order in which tests need them; as build.ORDER has it.
PARTS = (
    *CONTROL_PLANE,
    Part("CDI", _cdi),
    # Their tests take the longest after it.
    MACHINES,
    Part("Helm", _programs(*build.HELM)),
    Part("GitOps tools", _programs("kstatus", "flux", "argocd")),
    Part("Prometheus", _programs(*build.PROMETHEUS)),
    Part("Velero", _programs(*build.VELERO)),
    Part("the oldest Kubernetes", _programs(*build.OLDEST_KUBERNETES)),
)


def main() -> int:
    """The exit status: 1 if something couldn't be built. Whoever needs that is told why."""
    os.nice(_NICENESS)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no half of anything is left
    cache.prune(cache.folder())
    threading.Thread(target=_download, daemon=True).start()
    failed = 0
    for part in CONTROL_PLANE if sys.argv[1:] == ["control-plane"] else PARTS:
        began = time.monotonic()
        try:
            part.make(click.echo)
        except (BuildError, ImageError) as error:
            failed = 1
            click.echo(f"{part.name}: {error}")
        else:
            click.echo(f"{part.name}: there after {time.monotonic() - began:.0f} s")
    return failed


def _download() -> None:
    """Downloads the sources of later programs while earlier ones are built, which leaves the network idle."""
    for name in build.ORDER:
        if not build.is_built(name):
            build.download(name)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")
