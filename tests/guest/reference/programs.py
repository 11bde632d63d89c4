"""The programs that only the node has, not the image: its init, and plugins that give Pods addresses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from tests.controlplane.build import cache_folder
from tools.gobuild import Builder, Go, Program

_GUEST = Path(__file__).resolve().parents[3] / "guest"
_MODULES = Path(__file__).with_name("go")
_PLUGINS = "github.com/containernetworking/plugins/plugins"
_INIT = Program("reference-node", "agent", "./cmd/reference-node", modules=_GUEST)
CNI = tuple(
    Program(path.rpartition("/")[2], "cni", f"{_PLUGINS}/{path}", modules=_MODULES)
    for path in ("ipam/host-local", "main/bridge", "main/loopback")
)


@dataclass(frozen=True)
class Programs:
    """The files of the programs."""

    init: Path
    plugins: tuple[Path, ...]

    @classmethod
    def build(cls) -> Programs:
        """Built for the guest's architecture, which is this machine's, if need be. Raises BuildError."""
        builder = Builder(Go.find(), click.echo, (_INIT, *CNI), cache_folder().with_name("guest-tests"))
        paths = builder.build((_INIT, *CNI))
        return cls(paths[_INIT.name], tuple(paths[plugin.name] for plugin in CNI))
