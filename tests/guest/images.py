"""The images that the cases run: one program, in every way that an image can say how to start it."""

from __future__ import annotations

from typing import Any

from tests.guest import conformance
from tests.guest.containerimage import ContainerImage, File, Layer

_USERS = """\
root:x:0:0:root:/root:/sbin/nologin
app:x:1000:1000:app:/home/app:/sbin/nologin
daemon:x:2:2:daemon:/:/sbin/nologin
"""
_GROUPS = """\
root:x:0:
app:x:1000:
staff:x:50:app
wheel:x:10:app,daemon
"""
_PATH = "PATH=/usr/local/bin:/bin"


def all_images() -> dict[str, ContainerImage]:
    """Every image by its `name:tag`."""
    base = Layer.of(
        *(File(path) for path in ("bin", "etc", "home", "srv", "srv/www")),
        File("home/app", mode=0o700, uid=1000, gid=1000),
        File("tmp", mode=0o1777),
        File("data", mode=0o755, uid=1000, gid=50),
        File("data/from-image", b"image\n", mode=0o644),
        File("etc/passwd", _USERS.encode(), mode=0o644),
        File("etc/group", _GROUPS.encode(), mode=0o644),
        File("bin/conformance", conformance.program()),
    )
    start: dict[str, Any] = {"Env": [_PATH], "Entrypoint": ["/bin/conformance"]}
    configurations: dict[str, dict[str, Any]] = {
        "conformance:1": start,
        "entrypoint-and-command:1": {
            "Env": [_PATH, "FROM_IMAGE=yes", "GREETING=image says $(NOT_EXPANDED) ${NOR_THIS}", "EMPTY="],
            "WorkingDir": "/srv/www",
            "Entrypoint": ["/bin/conformance", "--paths=/srv"],
            "Cmd": ["--stay", "of the image"],
        },
        "named-user:1": {**start, "User": "app"},
        "numeric-user:1": {**start, "User": "1234:2345"},
        "missing-folder:1": {**start, "WorkingDir": "/made/by/the/runtime"},
        "private:1": start,
        "late:1": start,
    }
    return {name: ContainerImage((base,), config) for name, config in configurations.items()}
