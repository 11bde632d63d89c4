"""`post_start`, `pre_stop` and `pre_start` of a service.

Source: the Compose Specification, chapter Services. In Kubernetes, a container has one command for each of
these moments, and the command runs with the container's own user and variables.
"""

from __future__ import annotations

from twinhull.api.group import Raw
from twinhull.convert.compose import typed
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.draft import Draft
from twinhull.convert.docker.givenoptions import GivenOptions, InputValue
from twinhull.convert.docker.images import image
from twinhull.convert.docker.process import literal, process

#: The fields that a step takes from the service, unless it has an image of its own.
_INHERITED = ("image", "command", "workingDir")


def hooks(service: InputValue, draft: Draft) -> None:
    """Put the hooks into the container, and the steps before its start into init containers."""
    keys = typed.mapping(service)
    for name, field in (("post_start", "postStart"), ("pre_stop", "preStop")):
        listed = typed.listing(keys[name]) if name in keys else []
        for number, element in enumerate(listed):
            hook = typed.mapping(element)
            if number or hook.keys() - {"command"} or "command" not in hook:
                draft.leave(
                    element, f"a container has one {field}, with its own user and variables: write one script"
                )
            else:
                command = {"exec": {"command": typed.words(hook["command"])}}
                draft.container.setdefault("lifecycle", {})[field] = command
    steps = [
        _step(element, number, draft)
        for number, element in enumerate(
            typed.listing(keys["pre_start"]) if "pre_start" in keys else (), start=1
        )
    ]
    if steps:
        draft.pod["initContainers"] = steps


def _step(step: InputValue, number: int, draft: Draft) -> Raw:
    """An init container like the service's own container, with the step's changes."""
    hook = typed.mapping(step)
    if "command" not in hook and "image" not in hook:
        raise CannotConvert(f"{step.path} has no command: add it")
    of_step = Draft(
        draft.name, security=dict(draft.security), pod_security=draft.pod_security, left=draft.left
    )
    of_step.security.pop("privileged", None)
    if "privileged" in hook and typed.truth(hook["privileged"]):
        of_step.security["privileged"] = True
        of_step.security.pop("allowPrivilegeEscalation", None)
    own_image = "image" in hook and hook["image"].value
    if own_image:
        for key in ("runAsUser", "runAsGroup", "runAsNonRoot"):
            of_step.security.pop(key, None)
    options = [("user", "user"), ("working_dir", "workdir")]
    step_options = [
        (option, InputValue(hook[key].path, typed.text(hook[key]))) for key, option in options if key in hook
    ]
    if "command" in hook:
        step_options.append(("command", InputValue(hook["command"].path, typed.words(hook["command"]))))
    process(GivenOptions(step_options), of_step)
    env = {variable["name"]: variable for variable in draft.container.get("env", [])}
    for name, variable in typed.pairs(hook["environment"]) if "environment" in hook else ():
        env[name] = {"name": name, "value": literal("" if variable.value is None else typed.text(variable))}
    of_service: Raw = {key: draft.container[key] for key in _INHERITED if key in draft.container}
    of_image: Raw = (
        {"image": image(InputValue(hook["image"].path, typed.text(hook["image"])))} if own_image else {}
    )
    return {
        "name": f"pre-start-{number}",
        **(of_image or of_service),
        **of_step.container,
        **({"env": list(env.values())} if env else {}),
        **({"securityContext": of_step.security} if of_step.security else {}),
        **({"volumeMounts": [dict(mount) for mount in draft.mounts]} if draft.mounts else {}),
    }
