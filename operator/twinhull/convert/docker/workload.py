"""Makes a Workload from all options of one container."""

from __future__ import annotations

from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.draft import Draft
from twinhull.convert.docker.givenoptions import GivenOptions
from twinhull.convert.docker.health import health
from twinhull.convert.docker.images import image
from twinhull.convert.docker.metadata import metadata
from twinhull.convert.docker.names import label
from twinhull.convert.docker.network import let_listen, mode, names
from twinhull.convert.docker.options import OPTIONS, kind_of
from twinhull.convert.docker.ports import ports
from twinhull.convert.docker.process import life, process
from twinhull.convert.docker.resources import resources
from twinhull.convert.docker.security import security
from twinhull.convert.docker.storage import storage

#: Each function reads the options of its subject, and puts them into the draft. Ports are read after the
#: network's mode, and names after ports.
_SUBJECTS = (process, life, security, resources, storage, mode, ports, names, health, metadata)


def fill(options: GivenOptions, draft: Draft) -> None:
    """Put all options of a container into the draft of a Workload, and name those that aren't in it.

    Raises CannotConvert for an invalid value, and Refused for a container that can't be a Workload.
    """
    image_value = options.last("image")
    if image_value is None:
        raise CannotConvert("there is no image: name one")
    draft.container["name"] = label(draft.name)
    draft.container["image"] = image(image_value)
    for subject in _SUBJECTS:
        subject(options, draft)
    let_listen(draft)
    for name, value in options.unread():
        draft.leave(value, OPTIONS[name].sentence, kind_of(OPTIONS[name].fate))
