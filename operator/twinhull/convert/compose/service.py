"""Gives a service's keys as options of `docker run`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from twinhull.convert.compose import typed
from twinhull.convert.compose.deploy import deploy
from twinhull.convert.compose.envfile import variables
from twinhull.convert.compose.files import Folder
from twinhull.convert.compose.keys import OF_OPTIONS, Form
from twinhull.convert.compose.mounts import mounts
from twinhull.convert.compose.ports import port
from twinhull.convert.conversion import CannotConvert, LeftKind
from twinhull.convert.docker.draft import Draft, Refused
from twinhull.convert.docker.givenoptions import InputValue
from twinhull.convert.docker.health import CHECK_IS_DISABLED
from twinhull.convert.docker.linefiles import pairs as lines

OptionValues = Iterator[tuple[str, InputValue]]
_PULLS = {"always": "always", "never": "never", "missing": "missing", "if_not_present": "missing"}


def option_values(
    service: InputValue, environment: Mapping[str, str], folder: Folder, draft: Draft
) -> OptionValues:
    """All options of `docker run` that a service's keys mean. Keys that depend on other parts of the file
    (networks, secrets, configs, dependencies) aren't among them.

    Raises CannotConvert for an invalid value, and Refused for a service that can't be a Workload.
    """
    keys = typed.mapping(service)
    yield from _image(service, keys, draft)
    for name, value in keys.items():
        key = OF_OPTIONS.get(name)
        if key is not None and value.value is not None:
            yield from _plain(key.option, key.form, value)
    for name, option in (("command", "command"), ("entrypoint", "entrypoint")):
        if name in keys and keys[name].value is not None:
            yield option, InputValue(keys[name].path, typed.words(keys[name]))
    yield from _variables(keys, environment, folder, draft)
    yield from _label_files(keys, folder, draft)
    for publication in typed.listing(keys["ports"]) if "ports" in keys else ():
        yield "publish", InputValue(publication.path, port(publication))
    for volume in typed.listing(keys["volumes"]) if "volumes" in keys else ():
        yield "volume", InputValue(volume.path, mounts(volume))
    if "extra_hosts" in keys:
        yield from _hosts(keys["extra_hosts"])
    if "healthcheck" in keys:
        yield from _health(keys["healthcheck"], draft)
    if (policy := keys.get("pull_policy")) is not None and policy.value is not None:
        yield "pull", InputValue(policy.path, _PULLS.get(typed.text(policy), ""))
    yield "cluster-dns", InputValue(service.path, True)  # noqa: FBT003  its value
    yield from deploy(keys, draft)


def _image(service: InputValue, keys: Mapping[str, InputValue], draft: Draft) -> OptionValues:
    if "provider" in keys:
        raise Refused(
            f"{service.path}.provider: something else than Compose runs the service: run it as it says"
        )
    image, build = keys.get("image"), keys.get("build")
    if image is None or not image.value:
        if build is None:
            raise CannotConvert(f"{service.path} has neither image nor build: add image")
        raise Refused(
            f"{build.path}: a Workload runs an image of a registry: build and push it, set "
            f"{service.path}.image to its name, and convert again"
        )
    if build is not None:
        draft.leave(
            build,
            "a Workload runs an image of a registry: build it, and push it under the name that image has",
        )
    yield "image", InputValue(image.path, typed.text(image))


def _plain(option: str, form: Form, value: InputValue) -> OptionValues:
    match form:
        case Form.TEXT:
            yield option, InputValue(value.path, typed.text(value))
        case Form.TRUTH:
            yield option, InputValue(value.path, typed.truth(value))
        case Form.LIST:
            for entry in typed.one_or_more(value):
                yield option, InputValue(entry.path, typed.text(entry))
        case Form.SETTINGS:
            for name, entry in typed.pairs(value):
                yield option, InputValue(entry.path, f"{name}={typed.text(entry)}")
        case Form.PAIRS:
            for name, entry in typed.pairs(value):
                yield option, InputValue(entry.path, (name, "" if entry.value is None else typed.text(entry)))


def _variables(
    keys: Mapping[str, InputValue], environment: Mapping[str, str], folder: Folder, draft: Draft
) -> OptionValues:
    for env_file in typed.one_or_more(keys["env_file"]) if "env_file" in keys else ():
        file_keys = typed.mapping(env_file) if isinstance(env_file.value, dict) else {"path": env_file}
        if "path" not in file_keys:
            raise CannotConvert(f"{env_file.path} has no path: add it")
        path = typed.text(file_keys["path"])
        text = folder.text(path)
        if text is None:
            if "required" not in file_keys or typed.truth(file_keys["required"]) or not folder.contains(path):
                draft.leave(env_file, _unread(path, folder))
            continue
        raw = "format" in file_keys and typed.text(file_keys["format"]) == "raw"
        of_file = variables(text, f"{env_file.path} ({path})", environment, raw=raw)
        draft.left += of_file.left
        for name, value in of_file.values.items():
            yield "env", InputValue(f"{env_file.path}: {name}", (name, value))
    for name, variable in typed.pairs(keys["environment"]) if "environment" in keys else ():
        value = environment.get(name) if variable.value is None else typed.text(variable)
        yield "env", InputValue(variable.path, (name, value))


def _label_files(keys: Mapping[str, InputValue], folder: Folder, draft: Draft) -> OptionValues:
    for label_file in typed.one_or_more(keys["label_file"]) if "label_file" in keys else ():
        path = typed.text(label_file)
        text = folder.text(path)
        if text is None:
            draft.leave(label_file, _unread(path, folder))
            continue
        for name, value in lines(text, f"{label_file.path} ({path})", None):
            yield "label", InputValue(f"{label_file.path}: {name}", (name, value))


def _unread(path: str, folder: Folder) -> str:
    if not folder.contains(path):
        return "it is outside of the Compose file's folder, and isn't read: move it there, and convert again"
    return "the file can't be read, so its content is missing: add it, and convert again"


def _hosts(hosts: InputValue) -> OptionValues:
    if isinstance(hosts.value, list):
        for host in typed.listing(hosts):
            yield "add-host", InputValue(host.path, typed.text(host))
        return
    for name, addresses in typed.mapping(hosts).items():
        for address in typed.one_or_more(addresses):
            yield "add-host", InputValue(address.path, f"{name}={typed.text(address)}")


def _health(healthcheck: InputValue, draft: Draft) -> OptionValues:
    keys = typed.mapping(healthcheck)
    if "disable" in keys and typed.truth(keys["disable"]):
        yield "no-healthcheck", InputValue(keys["disable"].path, True)  # noqa: FBT003  its value
        for ignored in (value for name, value in keys.items() if name != "disable"):
            draft.leave(ignored, CHECK_IS_DISABLED, LeftKind.MEANINGLESS)
        return
    if "disable" in keys:
        _keep_check(keys["disable"], keys.get("test"), draft)
    for name in ("interval", "timeout", "retries", "start_period", "start_interval"):
        if name in keys and keys[name].value is not None:
            yield f"health-{name.replace('_', '-')}", InputValue(keys[name].path, typed.text(keys[name]))
    test = keys.get("test")
    if test is not None and test.value is not None:
        yield from _test(test)


def _keep_check(disable: InputValue, test: InputValue | None, draft: Draft) -> None:
    """Name `disable: false`. Without a test, it asks for the image's own check."""
    if test is not None and test.value:
        draft.leave(disable, "there is a test, which is the check", LeftKind.MEANINGLESS)
    else:
        draft.leave(
            disable,
            "it asks for the image's own check, which Kubernetes doesn't see: write it to healthcheck.test, "
            "and convert again",
        )


def _test(test: InputValue) -> OptionValues:
    if not isinstance(test.value, list):
        yield "health-cmd", InputValue(test.path, typed.text(test))
        return
    kind, *words = [typed.text(word) for word in typed.listing(test)] or ["NONE"]
    match kind:
        case "NONE":
            yield "no-healthcheck", InputValue(test.path, True)  # noqa: FBT003  its value
        case "CMD" if words:
            yield "health-cmd", InputValue(test.path, words)
        case "CMD-SHELL" if words:
            yield "health-cmd", InputValue(test.path, " ".join(words))
        case _:
            raise CannotConvert(
                f"{test.path}: a list begins with NONE, CMD or CMD-SHELL and goes on with words: correct it"
            )
