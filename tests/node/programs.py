"""The node's programs, each built from a pinned Go module if it isn't in the cache yet."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guest.image import architecture, cache
from guest.image.errors import ImageError
from guest.image.programs import build as build_guest_programs
from guest.image.programs import containerd as containerd_program
from tests.controlplane import build
from tests.guest.reference.programs import CNI
from tools.gobuild import Builder, Go, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: The container-disk program's source in KubeVirt's module, and how its own build compiles it.
_CONTAINER_DISK = "cmd/container-disk-v2alpha/main.c"


@dataclass(frozen=True)
class Programs:
    """What runs on the node itself, and what the images of KubeVirt's Pods hold.

    `source` is the folder of KubeVirt's own module, whose configuration files the images hold too.
    """

    node: Mapping[str, Path]
    plugins: Mapping[str, Path]
    kubevirt: Mapping[str, Path]
    source: Path
    pause: Path
    pause_image: Path

    @classmethod
    def ready(cls, release: str = "", say: Callable[[str], None] = click.echo) -> Programs:
        """All of them, of the newest KubeVirt unless `release` is build.OLDER_KUBEVIRT.

        Raises BuildError, ImageError.
        """
        guest = build_guest_programs(architecture.of_host(), say)
        builder = Builder(Go.find(), say, (CTR, *CNI), cache.folder() / "node-programs")
        built = builder.build((CTR, *CNI))
        suffix = f"-{release}" if release else ""
        names = {f"{name}{suffix}": name for name in build.KUBEVIRT_NODE}
        kubevirt = {names[name]: path for name, path in build.programs(names, say).items()}
        source = _source(f"kubevirt{suffix}")
        return cls(
            {
                **build.programs(["kube-proxy", *build.GVISOR], say),
                **{name: guest[name] for name in ("kubelet", "containerd", "containerd-shim-runc-v2")},
                "ctr": built[CTR.name],
            },
            {plugin.name: built[plugin.name] for plugin in CNI},
            {**kubevirt, "container-disk": _container_disk(source, say)},
            source,
            guest["pause"],
            guest["pauseimage"],
        )


CTR = replace(containerd_program("ctr"), build_flags=("-tags=no_devmapper,no_rdt,no_tracing,no_zfs",))


def _source(module: str) -> Path:
    """Where Go keeps KubeVirt's module, as pinned in a folder of tests/controlplane/go."""
    folder = Path(build.__file__).parent / "go" / module
    command = ["go", "list", "-m", "-f", "{{.Dir}}", "kubevirt.io/kubevirt"]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout.strip():
        raise ImageError(f"KubeVirt's sources can't be found: {done.stderr.strip()}")
    return Path(done.stdout.strip())


def _container_disk(source: Path, say: Callable[[str], None]) -> Path:
    """The one program of KubeVirt's in C: it shows a containerDisk's files to the launcher."""
    code = source / _CONTAINER_DISK
    digest = hashlib.sha256(code.read_bytes()).hexdigest()[:16]
    with cache.filling(cache.folder() / "node-programs" / f"container-disk-{digest}", say) as half:
        if half is not None:
            target = half / "container-disk"
            command = [os.environ.get("CC", "gcc"), "-O2", "-static", "-o", str(target), str(code)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ImageError(f"container-disk can't be compiled: {done.stderr.strip()[-2000:]}")
    return cache.folder() / "node-programs" / f"container-disk-{digest}" / "container-disk"
