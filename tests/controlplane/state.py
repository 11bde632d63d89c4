"""What a control plane wrote down about itself, so that another process can find and stop it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.controlplane.process import Process

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class State:
    """The processes started, the kubectl for their user, and whether all of it was started."""

    processes: tuple[Process, ...]
    kubectl: Path
    ready: bool

    def save(self, folder: Path) -> None:
        """Writes it into `folder`, whole or not at all."""
        record = {
            "boot": _boot(),
            "ready": self.ready,
            "kubectl": str(self.kubectl),
            "processes": [asdict(process) | {"log": str(process.log)} for process in self.processes],
        }
        new = folder / "state.json.new"
        new.write_text(json.dumps(record, indent=2), encoding="utf-8")
        new.replace(folder / "state.json")

    @classmethod
    def load(cls, folder: Path) -> State | None:
        """What was written, or None. The pids from before the last boot mean nothing now."""
        try:
            record = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        processes = tuple(Process(**p | {"log": Path(p["log"])}) for p in record["processes"])
        same_boot = record["boot"] == _boot()
        return cls(
            processes if same_boot else (), Path(record["kubectl"]), record.get("ready", False) and same_boot
        )


def _boot() -> str:
    """Changes with each boot: random(4)."""
    return _BOOT.read_text(encoding="ascii").strip() if _BOOT.exists() else ""
