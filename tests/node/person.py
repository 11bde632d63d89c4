"""A person who reaches into Workloads by `twinhull`, with the rights that the documentation names."""

from __future__ import annotations

import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass, field, replace
from fcntl import ioctl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.controlplane import Api, eventually
from tests.controlplane.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.controlplane import ControlPlane

#: What docs/reaching-in.md says that somebody needs for logs, exec, attach, cp and port-forward.
RIGHTS: list[dict[str, Any]] = [
    {"apiGroups": ["twinhull.dev"], "resources": ["workloads"], "verbs": ["get"]},
    {"apiGroups": ["twinhull.dev"], "resources": ["accessrequests"], "verbs": ["create", "get", "delete"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    {
        "apiGroups": [""],
        "resources": ["pods/exec", "pods/attach", "pods/portforward"],
        "verbs": ["get", "create"],
    },
    {"apiGroups": ["kubevirt.io"], "resources": ["virtualmachineinstances"], "verbs": ["get"]},
]
#: What docs/changing.md says that somebody needs for ssh, vnc and console, of which this is for ssh.
RIGHTS_TO_LOG_IN: list[dict[str, Any]] = [
    {"apiGroups": ["twinhull.dev"], "resources": ["workloads"], "verbs": ["get"]},
    {
        "apiGroups": ["kubevirt.io"],
        "resources": ["virtualmachines", "virtualmachineinstances"],
        "verbs": ["get"],
    },
    {
        "apiGroups": ["subresources.kubevirt.io"],
        "resources": ["virtualmachineinstances/portforward"],
        "verbs": ["get"],
    },
]
_PATIENCE = 600


@dataclass(frozen=True)
class Person:
    """Somebody with a kubeconfig."""

    kubeconfig: Path
    namespace: str
    #: What their environment has beside that of this process.
    variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def create(
        cls, plane: ControlPlane, namespace: str, name: str, rights: list[dict[str, Any]] = RIGHTS
    ) -> Person:
        """Somebody with these rights in a namespace."""
        rbac, where = "rbac.authorization.k8s.io/v1", {"name": name, "namespace": namespace}
        plane.api.apply({"apiVersion": rbac, "kind": "Role", "metadata": where, "rules": rights})
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
        plane.api.apply(
            {
                "apiVersion": rbac,
                "kind": "RoleBinding",
                "metadata": where,
                "subjects": [subject],
                "roleRef": role,
            }
        )
        kubeconfig = plane.kubeconfig_for(name)
        theirs = Api(kubeconfig)
        eventually(
            lambda: theirs.may("get", "twinhull.dev", "workloads", namespace),
            _PATIENCE,
            "the API server knows what they may do",
        )
        return cls(kubeconfig, namespace)

    def by(self, port: int, folder: Path) -> Person:
        """The same person, who reaches the API server at a port of loopback."""
        config = json.loads(self.kubeconfig.read_text(encoding="utf-8"))
        config["clusters"][0]["cluster"]["server"] = f"https://{LOOPBACK}:{port}"
        theirs = folder / "kubeconfig"
        theirs.write_text(json.dumps(config), encoding="utf-8")
        return replace(self, kubeconfig=theirs)

    def run(self, *arguments: str | Path, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """What `twinhull` does with these arguments."""
        return subprocess.run(
            self.command(*arguments),
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            env=self.environment(),
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )

    def done(self, *arguments: str | Path, given: bytes | None = None) -> str:
        """What `twinhull` prints, which has to succeed and complain of nothing. It may note which container
        is meant.
        """
        ended = self.run(*arguments, given=given)
        errors = [line for line in ended.stderr.decode().splitlines() if not line.startswith("Defaulted ")]
        assert (ended.returncode, errors) == (0, []), arguments
        return ended.stdout.decode()

    def command(self, *arguments: str | Path) -> list[str]:
        """The command line."""
        verb, *rest = map(str, arguments)
        return [sys.executable, "-m", "twinhull", verb, "-n", self.namespace, *rest]

    def environment(self) -> dict[str, str]:
        """The environment."""
        return {**os.environ, **self.variables, "KUBECONFIG": str(self.kubeconfig)}


@dataclass
class Terminal:
    """A command in a terminal of its own. Use it by `with`."""

    person: Person
    arguments: Sequence[str]
    _main: int = -1
    _process: subprocess.Popen[bytes] | None = None
    _read: bytearray = field(default_factory=bytearray)

    def __enter__(self) -> Self:
        self._main, theirs = pty.openpty()
        self.resize(80, 24)
        # setsid(1) makes it the terminal that gets the signals of keys and sizes.
        self._process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *self.person.command(*self.arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self.person.environment(),
        )
        os.close(theirs)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._main)

    def resize(self, columns: int, rows: int) -> None:
        """Make the terminal larger or smaller."""
        ioctl(self._main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        """Type a text."""
        os.write(self._main, text.encode())

    def shows(self, text: str) -> None:
        """Wait until it has shown a text, and forget all up to it."""
        until = time.monotonic() + _PATIENCE
        while (at := self._read.find(text.encode())) < 0:
            assert time.monotonic() < until, f"{text!r} isn't in {self._read.decode(errors='replace')!r}"
            if select.select([self._main], [], [], 1)[0]:
                try:
                    self._read += os.read(self._main, 4096)
                except OSError:  # Linux' word for a terminal that nobody has any more
                    raise AssertionError(f"it ended: {self._read.decode(errors='replace')!r}") from None
        del self._read[: at + len(text.encode())]

    def ends(self) -> int:
        """Its exit code, once it has ended."""
        assert self._process
        return self._process.wait(_PATIENCE)
