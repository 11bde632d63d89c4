"""What a control plane wrote down about itself, so that another process can find and stop it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.controlplane.process import Process

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class State:
    """A control plane's processes and programs, as the process that started them wrote it down."""

    #: The processes that were started, in that order.
    processes: tuple[Process, ...]
    #: The kubectl for the user.
    kubectl: Path
    #: Whether all of it was started.
    ready: bool
    #: When it was, in seconds since 1970; 0 until then.
    ready_at: float = 0.0

    def save(self, folder: Path) -> None:
        """Writes it into `folder`, whole or not at all."""
        record = {
            "boot": _boot(),
            "ready": self.ready,
            "ready_at": self.ready_at,
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
            processes if same_boot else (),
            Path(record["kubectl"]),
            record.get("ready", False) and same_boot,
            record.get("ready_at", 0.0),
        )


def _boot() -> str:
    """Changes with each boot: random(4)."""
    return _BOOT.read_text(encoding="ascii").strip() if _BOOT.exists() else ""
