"""A service's keys as what Docker can be told of a container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from twinhull.convert.compose import typed
from twinhull.convert.compose.deploy import deploy
from twinhull.convert.compose.envfile import variables
from twinhull.convert.compose.files import Folder
from twinhull.convert.compose.keys import OF_OPTIONS, Form
from twinhull.convert.compose.mounts import mounts
from twinhull.convert.compose.ports import port
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.draft import Draft, Refused
from twinhull.convert.docker.linefiles import pairs as lines
from twinhull.convert.docker.settings import InputValue

Settings = Iterator[tuple[str, InputValue]]
_PULLS = {"always": "always", "never": "never", "missing": "missing", "if_not_present": "missing"}


def settings(service: InputValue, environment: Mapping[str, str], folder: Folder, draft: Draft) -> Settings:
    """All that a service says of its container, by the names of docker run's options. What depends on other
    parts of the file (networks, secrets, configs, dependencies) isn't in it.

    Raises CannotConvert for a value that is none, and Refused for a service that can't be a Workload.
    """
    keys = typed.mapping(service)
    yield from _image(service, keys, draft)
    for name, said in keys.items():
        key = OF_OPTIONS.get(name)
        if key is not None and said.value is not None:
            yield from _plain(key.option, key.form, said)
    for name, option in (("command", "command"), ("entrypoint", "entrypoint")):
        if name in keys and keys[name].value is not None:
            yield option, InputValue(keys[name].path, typed.words(keys[name]))
    yield from _variables(keys, environment, folder, draft)
    yield from _label_files(keys, folder, draft)
    for said in typed.listing(keys["ports"]) if "ports" in keys else ():
        yield "publish", InputValue(said.path, port(said))
    for said in typed.listing(keys["volumes"]) if "volumes" in keys else ():
        yield "volume", InputValue(said.path, mounts(said))
    if "extra_hosts" in keys:
        yield from _hosts(keys["extra_hosts"])
    if "healthcheck" in keys:
        yield from _health(keys["healthcheck"], draft)
    if (policy := keys.get("pull_policy")) is not None and policy.value is not None:
        yield "pull", InputValue(policy.path, _PULLS.get(typed.text(policy), ""))
    yield "cluster-dns", InputValue(service.path, True)  # noqa: FBT003  its value
    yield from deploy(keys, draft)


def _image(service: InputValue, keys: Mapping[str, InputValue], draft: Draft) -> Settings:
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


def _plain(option: str, form: Form, said: InputValue) -> Settings:
    match form:
        case Form.TEXT:
            yield option, InputValue(said.path, typed.text(said))
        case Form.TRUTH:
            yield option, InputValue(said.path, typed.truth(said))
        case Form.LIST:
            for one in typed.one_or_more(said):
                yield option, InputValue(one.path, typed.text(one))
        case Form.SETTINGS:
            for name, one in typed.pairs(said):
                yield option, InputValue(one.path, f"{name}={typed.text(one)}")
        case Form.PAIRS:
            for name, one in typed.pairs(said):
                yield option, InputValue(one.path, (name, "" if one.value is None else typed.text(one)))


def _variables(
    keys: Mapping[str, InputValue], environment: Mapping[str, str], folder: Folder, draft: Draft
) -> Settings:
    for said in typed.one_or_more(keys["env_file"]) if "env_file" in keys else ():
        given = typed.mapping(said) if isinstance(said.value, dict) else {"path": said}
        if "path" not in given:
            raise CannotConvert(f"{said.path} has no path: add it")
        path = typed.text(given["path"])
        found = folder.text(path)
        if found is None:
            if "required" not in given or typed.truth(given["required"]) or not folder.has(path):
                draft.leave(said, _unread(path, folder))
            continue
        raw = "format" in given and typed.text(given["format"]) == "raw"
        for name, value in variables(found, f"{said.path} ({path})", environment, raw=raw).items():
            yield "env", InputValue(f"{said.path}: {name}", (name, value))
    for name, said in typed.pairs(keys["environment"]) if "environment" in keys else ():
        value = environment.get(name) if said.value is None else typed.text(said)
        yield "env", InputValue(said.path, (name, value))


def _label_files(keys: Mapping[str, InputValue], folder: Folder, draft: Draft) -> Settings:
    for said in typed.one_or_more(keys["label_file"]) if "label_file" in keys else ():
        path = typed.text(said)
        found = folder.text(path)
        if found is None:
            draft.leave(said, _unread(path, folder))
            continue
        for name, value in lines(found, f"{said.path} ({path})", None):
            yield "label", InputValue(f"{said.path}: {name}", (name, value))


def _unread(path: str, folder: Folder) -> str:
    if not folder.has(path):
        return "it is outside of the Compose file's folder, and isn't read: move it there, and convert again"
    return "the file can't be read, so that all that it has is missing: add it, and convert again"


def _hosts(said: InputValue) -> Settings:
    if isinstance(said.value, list):
        for one in typed.listing(said):
            yield "add-host", InputValue(one.path, typed.text(one))
        return
    for name, one in typed.mapping(said).items():
        for address in typed.one_or_more(one):
            yield "add-host", InputValue(address.path, f"{name}={typed.text(address)}")


def _health(said: InputValue, draft: Draft) -> Settings:
    keys = typed.mapping(said)
    if "disable" in keys and typed.truth(keys["disable"]):
        for one in (said for name, said in keys.items() if name != "disable"):
            draft.leave(one, "the check is disabled")
        return
    for name in ("interval", "timeout", "retries", "start_period", "start_interval"):
        if name in keys and keys[name].value is not None:
            yield f"health-{name.replace('_', '-')}", InputValue(keys[name].path, typed.text(keys[name]))
    test = keys.get("test")
    if test is not None and test.value is not None:
        yield from _test(test, draft)


def _test(test: InputValue, draft: Draft) -> Settings:
    if not isinstance(test.value, list):
        yield "health-cmd", InputValue(test.path, typed.text(test))
        return
    kind, *words = [typed.text(word) for word in typed.listing(test)] or ["NONE"]
    match kind:
        case "NONE":
            draft.leave(test, "Kubernetes doesn't see the image's own check")
        case "CMD" if words:
            yield "health-cmd", InputValue(test.path, words)
        case "CMD-SHELL" if words:
            yield "health-cmd", InputValue(test.path, " ".join(words))
        case _:
            raise CannotConvert(
                f"{test.path}: a list begins with NONE, CMD or CMD-SHELL and goes on with words: correct it"
            )
