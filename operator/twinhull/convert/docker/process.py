"""The process of a container: its command, variables and user, and what happens when it ends.

Sources: docker run's reference; k8s.io/kubernetes/third_party/forked/golang/expansion (the meaning of `$(…)`
in a command); k8s.io/api/core/v1 (Container, PodSpec).
"""

from __future__ import annotations

import re
import shlex

from twinhull.api.group import Raw
from twinhull.api.objectnames import LONGEST_LABEL
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.amounts import seconds
from twinhull.convert.docker.draft import Draft
from twinhull.convert.docker.givenoptions import GivenOptions, InputValue

_VARIABLE = re.compile(r"[ -<>-~]+")
#: The highest number of a user or a group that the API server allows.
_HIGHEST_ID = 2**31 - 1
_DIGITS = re.compile(r"[0-9]+")
_TOO_HIGH = (
    f"{{number}} is higher than {_HIGHEST_ID}, the highest number that Kubernetes takes: choose a lower one"
)
_RESTARTS = {
    "no": "Never",
    "": "Never",
    "always": "Always",
    "unless-stopped": "Always",
    "on-failure": "OnFailure",
}
_PULLS = {"always": "Always", "missing": "IfNotPresent", "never": "Never"}


def process(options: GivenOptions, draft: Draft) -> None:
    """The command, its variables, and its user and groups."""
    _command(options, draft)
    _variables(options.take("env"), draft)
    if (workdir := options.last("workdir")) is not None and workdir.value:
        if not str(workdir.value).startswith("/"):
            raise CannotConvert(
                f"{workdir.path}: {str(workdir.value)[:80]!r} is no absolute path: begin it with '/'"
            )
        draft.container["workingDir"] = workdir.value
    if options.is_true("interactive"):
        draft.container["stdin"] = True
    if options.is_true("tty"):
        draft.container["tty"] = True
    _user(options.last("user"), draft)
    _groups(options.take("group-add"), draft)


def life(options: GivenOptions, draft: Draft) -> None:
    """When the container is started again, how it is ended, and whether its image is pulled."""
    restart = options.last("restart")
    policy, colon, most = str(restart.value if restart else "no").partition(":")
    if policy not in _RESTARTS or (colon and policy != "on-failure"):
        where = restart.path if restart else "restart"
        raise CannotConvert(
            f"{where}: {policy[:40]!r} is no policy: use no, always, on-failure or unless-stopped"
        )
    draft.pod["restartPolicy"] = _RESTARTS[policy]
    if restart and most:
        count = f"{most[:20]} restart{'s' * (most != '1')}"
        draft.leave(restart, f"Kubernetes can't stop after {count}: it goes on, and waits longer each time")
    if (stop_timeout := options.last("stop-timeout")) is not None:
        if str(stop_timeout.value).strip().startswith("-"):
            draft.leave(
                stop_timeout,
                "Kubernetes waits for some time only: set spec.template.spec.terminationGracePeriodSeconds",
            )
        else:
            whole = str(stop_timeout.value).strip()
            draft.pod["terminationGracePeriodSeconds"] = seconds(
                InputValue(stop_timeout.path, f"{whole}s" if whole.isdigit() else whole)
            )
    if (pull := options.last("pull")) is not None:
        if pull.value in _PULLS:
            draft.container["imagePullPolicy"] = _PULLS[pull.value]
        else:
            draft.leave(
                pull, "Kubernetes pulls an image always, if it isn't there, or never: set imagePullPolicy"
            )
    _platform(options.last("platform"), draft)
    _runtime(options.last("runtime"), draft)


def literal(text: str) -> str:
    """A text that Kubernetes takes literally. Kubernetes, unlike Docker, expands `$(NAME)` in commands and
    variables.
    """
    return text.replace("$", "$$") if "$(" in text or "$$" in text else text


def _command(options: GivenOptions, draft: Draft) -> None:
    entrypoint, command = options.last("entrypoint"), options.last("command")
    words = [literal(word) for word in command.value] if command else []
    if entrypoint is None:
        if words:
            draft.container["args"] = words
        elif command:
            draft.leave(command, "Kubernetes can't clear the image's command without another: set args")
    elif entrypoint.value:
        draft.container["command"] = [literal(word) for word in entrypoint.value]
        if words:
            draft.container["args"] = words
    elif words:
        draft.container["command"] = words
    else:
        if command:
            draft.leave(command, "Kubernetes can't clear the image's command without another: set args")
        draft.leave(entrypoint, "Kubernetes can't clear the image's entrypoint without another: set command")


def _variables(pairs: list[InputValue], draft: Draft) -> None:
    values: dict[str, str] = {}
    for pair in pairs:
        name, value = pair.value
        if value is None:
            draft.leave(
                pair,
                "its value is in the environment in which Docker runs: give it by --variable "
                f"{name[:60]}=VALUE",
            )
        elif not _VARIABLE.fullmatch(name):
            draft.leave(pair, "a variable's name has printable ASCII characters only, and no '='")
        else:
            values[name] = value
    if values:
        draft.container["env"] = [{"name": name, "value": literal(value)} for name, value in values.items()]


def _user(value: InputValue | None, draft: Draft) -> None:
    if value is None or not str(value.value).strip():
        return
    user, colon, group = str(value.value).strip().partition(":")
    number, group_number = _number(user), _number(group)
    if number is not None:
        draft.security["runAsUser"] = number
    else:
        # The image's own user may be root: it is safer not to start such a container.
        draft.security["runAsNonRoot"] = True
        why = (
            _TOO_HIGH.format(number=user[:40])
            if _DIGITS.fullmatch(user)
            else f"Kubernetes knows users by their numbers only: set runAsUser to the one that {user[:40]!r} "
            f"has in the image (docker run --rm --entrypoint id IMAGE -u {shlex.quote(user[:40])})"
        )
        draft.leave(value, f"{why}; until then runAsNonRoot keeps it from running as root")
    if not colon or not group:
        return
    if group_number is None:
        draft.leave(value, _no_group(group, "set runAsGroup to"))
    elif number is None:
        # k8s.io/cri-api, LinuxContainerSecurityContext: run_as_group is only for a user that is given, too.
        draft.leave(
            value,
            f"runAsGroup is taken together with runAsUser only: set it to {group_number} with runAsUser",
        )
    else:
        draft.security["runAsGroup"] = group_number


def _groups(groups: list[InputValue], draft: Draft) -> None:
    numbers = []
    for group in groups:
        text = str(group.value).strip()
        if (number := _number(text)) is None:
            draft.leave(group, _no_group(text, "add to supplementalGroups"))
        elif number not in numbers:
            numbers.append(number)
    if numbers:
        draft.pod_security["supplementalGroups"] = numbers


def _no_group(group: str, what: str) -> str:
    """Why a group isn't carried over: it has no number, or its number is too high."""
    if _DIGITS.fullmatch(group):
        return _TOO_HIGH.format(number=group[:40])
    number = f"the number that {group[:40]!r} has in the image"
    return f"Kubernetes knows groups by their numbers only: {what} {number}"


def _number(text: str) -> int | None:
    if text == "root":
        return 0
    return int(text) if re.fullmatch(r"[0-9]{1,10}", text) and int(text) <= _HIGHEST_ID else None


#: Architectures by uname's names, in Kubernetes' names.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "x86-64": "amd64"}


def _platform(platform: InputValue | None, draft: Draft) -> None:
    if platform is None or not platform.value:
        return
    system, _, rest = str(platform.value).strip().lower().partition("/")
    architecture, _, variant = rest.partition("/")
    if not rest and system not in {"linux", "windows", "darwin"}:
        system, architecture = "linux", system
    if system != "linux":
        draft.leave(
            platform, f"a Workload runs Linux, and an image for {system[:20]} won't run: use one for Linux"
        )
        return
    selector: Raw = draft.pod.setdefault("nodeSelector", {})
    selector["kubernetes.io/os"] = "linux"
    if architecture:
        arch = ARCHITECTURES.get(architecture, architecture)
        if not re.fullmatch(rf"[a-z0-9]{{1,{LONGEST_LABEL}}}", arch):
            raise CannotConvert(
                f"{platform.path}: {architecture[:40]!r} is no architecture: write one such as arm64"
            )
        selector["kubernetes.io/arch"] = arch
    if variant and (architecture, variant) != ("arm64", "v8"):
        draft.leave(
            platform,
            f"nodes have no label for the variant {variant[:20]}: label them, and add it to nodeSelector",
        )


#: Runtimes that isolate more than Docker's own, and the usual names of their RuntimeClasses.
_SANDBOXES = {
    **dict.fromkeys(("runsc", "gvisor", "io.containerd.runsc.v1"), "gvisor"),
    **dict.fromkeys(("kata", "kata-runtime", "kata-qemu", "io.containerd.kata.v2"), "kata"),
}


def _runtime(runtime: InputValue | None, draft: Draft) -> None:
    if runtime is None or not runtime.value:
        return
    if (name := _SANDBOXES.get(str(runtime.value))) is not None:
        draft.spec["isolationPolicy"] = "Sandbox"
        draft.spec["sandbox"] = {"runtimeClassName": name}
        draft.leave(
            runtime, f"spec.sandbox.runtimeClassName is {name}, which is a guess: set it to your RuntimeClass"
        )
    elif runtime.value not in {"runc", "crun", "io.containerd.runc.v2"}:
        draft.leave(runtime, "a RuntimeClass names the runtime of a Pod: set spec.sandbox.runtimeClassName")
