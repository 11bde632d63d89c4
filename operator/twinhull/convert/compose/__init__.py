"""A Compose file as Workloads: one for each service.

`keys` is the table of all keys. `project` takes a file apart, `service` says of a service what `docker run`
would, and the modules of `convert.docker` make a Workload of that.
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
    variables of who runs Compose. `read` gives the text of a file by its path from the Compose file's folder,
    None if there is none: `.env`, those of `env_file`, and other Compose files that services extend. It is
    never asked for one outside of that folder. `profiles` are those that are asked for, `*` for all;
    COMPOSE_PROFILES adds to them. `namespace` is the one that commands in what is left are for, empty if that
    isn't known.

    Raises CannotConvert for what Compose wouldn't take, and if no service can be a Workload.
    """
    project = Project.read(document, environment or {}, Folder(read), profiles)
    return workloads(project, namespace)
