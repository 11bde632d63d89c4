"""A Compose file as Workloads: one for each service.

`keys` is the table of all keys. `project` takes a file apart, `service` gives a service as options of `docker
run`, and the modules of `convert.docker` make a Workload of these.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from twinhull.api.group import Raw
from twinhull.convert.compose.files import Folder, Reader
from twinhull.convert.compose.project import Project
from twinhull.convert.compose.workloads import workloads
from twinhull.convert.conversion import Conversion


def convert(
    document: str | Raw,
    *,
    environment: Mapping[str, str] | None = None,
    read: Reader = lambda _: None,
    profiles: Collection[str] = (),
    namespace: str = "",
) -> Conversion:
    """The Workloads of a Compose file's services, and the claims, ConfigMaps and NetworkPolicies that go with
    them.

    `document` is the file's text, which is read as Compose reads YAML, or its mapping. `environment` has the
    variables that Compose would get from the shell. `read` gives the text of a file by its path from the
    Compose file's folder, None if it doesn't exist: `.env`, those of `env_file`, and other Compose files that
    services extend. It is never called for a file outside of that folder. `profiles` are the profiles to
    convert, `*` for all; COMPOSE_PROFILES adds to them. `namespace` is for the commands in messages, empty if
    it isn't known.

    Raises CannotConvert for a file that Compose would refuse, and if no service can be a Workload.
    """
    project = Project.read(document, environment or {}, Folder(read), profiles)
    return workloads(project, namespace)
