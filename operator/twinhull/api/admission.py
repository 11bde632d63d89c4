"""The ValidatingAdmissionPolicies that refuse, at once and in CEL, what an IsolationPolicy would reject: one
for isolation, one for the images of machines.

They say what `core/isolation` says of a Workload that names its isolation, which a test makes sure of
(tests/e2e/operator/test_admission.py). Every IsolationPolicy is a parameter of them, so nothing has to be
kept in step.
"""

from __future__ import annotations

from twinhull.api.base import API_VERSION, GROUP, VERSION, Raw
from twinhull.api.isolation import strengths

NAME = f"isolation.{GROUP}"
IMAGES_NAME = f"machine-images.{GROUP}"

_POD = "object.spec.template.spec"
_MATCH = "params.spec.match"
#: Docker Hub by its other names, as in core/isolation/images.py.
_HUB_ALIASES = "['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']"
#: An image by its id, and one with a digest, as in core/isolation/images.py.
_ID = "'^(sha256|sha384|sha512):[0-9A-Fa-f]+$'"
_PINNED = "'^[^@]+@(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$'"
_MACHINE = "object.spec.?virtualMachine"
_OVERRIDES = f"{_MACHINE}.?overrides"
_KERNEL = ("domain", "firmware", "kernelBoot", "container", "image")
#: Whether disk d is the one by which a guest knows its manifest, as it is rendered.
_TRUST_DISK = "d == {'name': dyn('trust'), 'serial': dyn('trust'), 'disk': dyn({'bus': 'virtio'})}"
_CONCERNS = "variables.placed && variables.labelled && variables.runsAs && variables.pulls"
#: Whether image i fits pattern p.
_FITS = (
    "i.name.matches(p.name) && (p.tag == '' || i.tag.matches(p.tag)) "
    "&& (p.digest == '' || i.digest.matches(p.digest))"
)
_ORDER = strengths()


def admission() -> list[Raw]:
    """The policies and their bindings, as they can be applied."""
    return [
        _policy(NAME, {"weaker": _weaker(), **_concerned()}, _of_isolation()),
        _binding(NAME),
        _policy(IMAGES_NAME, {**_concerned(), **_machine_images()}, *_of_images()),
        _binding(IMAGES_NAME),
    ]


def _policy(name: str, variables: dict[str, str], *validations: Raw) -> Raw:
    """A variable may refer to those before it. None is worked out unless it is needed."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "paramKind": {"apiVersion": API_VERSION, "kind": "IsolationPolicy"},
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [GROUP],
                        "apiVersions": [VERSION],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["workloads"],
                    }
                ]
            },
            "matchConditions": [{"name": "anew", "expression": _anew()}],
            "variables": [{"name": key, "expression": text} for key, text in variables.items()],
            "validations": list(validations),
        },
    }


def _of_isolation() -> Raw:
    return {
        "expression": f"!(variables.weaker && {_CONCERNS})",
        "messageExpression": "'IsolationPolicy ' + params.metadata.name + ' requires ' + "
        "params.spec.minimum + (params.spec.minimum == 'VirtualMachine' ? '' : ' or stronger') + "
        "', and spec.isolationPolicy asks for ' + object.spec.isolationPolicy + "
        "': set spec.isolationPolicy to ' + params.spec.minimum + "
        "(params.spec.minimum == 'VirtualMachine' ? '' : ' or stronger')",
        "reason": "Forbidden",
    }


def _of_images() -> tuple[Raw, ...]:
    """What core/isolation/machine_images.py says of a Workload that asks for a machine by name."""
    ruled = f"object.spec.isolationPolicy == 'VirtualMachine' && has(params.spec.machines) && {_CONCERNS}"
    listed = "has(params.spec.machines.guestImages)"
    asked = "has(params.spec.machines.imagesMustBePinned) && params.spec.machines.imagesMustBePinned"
    of_policy = "'IsolationPolicy ' + params.metadata.name"
    return (
        _refusal(
            f"{ruled} && {listed} && size(variables.others) > 0",
            f"variables.others[0] + ' is none of the guestImages of ' + {of_policy}",
        ),
        _refusal(
            f"{ruled} && {asked} && size(variables.movable) > 0",
            f"{of_policy} + ' asks for name@digest, and an image is ' + variables.movable[0]",
        ),
        _refusal(
            f"{ruled} && size(variables.beside) > 0",
            "'spec.virtualMachine.overrides.' + variables.beside[0] + ' has the machine boot or run what no "
            f"image of its names, and ' + {of_policy} + ' has rules for images'",
        ),
        _refusal(
            f"{ruled} && size(variables.kubevirts) > 0",
            "'spec.template.metadata.annotations[' + variables.kubevirts[0] + '] has KubeVirt boot or run "
            f"what no image of the machine names, and ' + {of_policy} + ' has rules for images'",
        ),
    )


def _refusal(of: str, message: str) -> Raw:
    return {"expression": f"!({of})", "messageExpression": message, "reason": "Forbidden"}


def _binding(name: str) -> Raw:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            # All there are; a cluster without any refuses nothing.
            "paramRef": {"selector": {}, "parameterNotFoundAction": "Allow"},
        },
    }


def _anew() -> str:
    """What a policy would reject anyhow may still be stopped, deleted, and relabelled by nobody."""
    labels = "(has({0}.metadata.labels) ? {0}.metadata.labels : {{}})"
    return (
        "object.spec.state != 'Stopped' && "
        "(request.operation == 'CREATE' || object.spec != oldObject.spec || "
        f"{labels.format('object')} != {labels.format('oldObject')})"
    )


def _weaker() -> str:
    return (
        "params.spec.onViolation == 'Reject' && has(params.spec.minimum) "
        f"&& object.spec.isolationPolicy in {_ORDER} "
        f"&& {_ORDER}[object.spec.isolationPolicy] < {_ORDER}[params.spec.minimum]"
    )


def _concerned() -> dict[str, str]:
    """Whether the policy concerns the Workload, part by part."""
    given = f"has({_MATCH})"
    return {
        "namespaceLabels": _labels("namespaceObject"),
        "placed": f"!{given} || !has({_MATCH}.namespaceSelector) || "
        + _admits(f"{_MATCH}.namespaceSelector", "variables.namespaceLabels"),
        "labels": _labels("object"),
        "labelled": f"!{given} || !has({_MATCH}.workloadSelector) || "
        + _admits(f"{_MATCH}.workloadSelector", "variables.labels"),
        "accounts": f"[{_POD}.?serviceAccountName, {_POD}.?serviceAccount]"
        ".map(a, a.orValue(null)).filter(a, a != null && a != '')",
        "account": "size(variables.accounts) == 0 ? 'default' : string(variables.accounts[0])",
        "runsAs": f"!{given} || !has({_MATCH}.serviceAccounts) || size({_MATCH}.serviceAccounts) == 0 "
        f"|| {_MATCH}.serviceAccounts.exists(s, s == variables.account "
        "|| s == object.metadata.namespace + '/' + variables.account)",
        "patterns": _patterns(f"{given} && has({_MATCH}.images) ? {_MATCH}.images : []"),
        "texts": f"({_template_images()}).filter(s, s != '')",
        "images": _images("variables.texts"),
        "pulls": f"size(variables.patterns) == 0 || variables.texts.exists(s, s.matches({_ID})) "
        f"|| variables.images.exists(i, variables.patterns.exists(p, {_FITS}))",
    }


def _machine_images() -> dict[str, str]:
    """What a machine boots and runs, and what of it a policy doesn't allow."""
    return {
        "booted": booted_images(),
        "allowed": _patterns("params.spec.machines.?guestImages.orValue([])"),
        "others": f"variables.booted.filter(s, s.matches({_ID}) || !{_images('[s]')}"
        f".all(i, variables.allowed.exists(p, {_FITS})))",
        "movable": f"({_template_images()} + variables.booted).filter(s, !s.matches({_PINNED}))",
        "disks": _listed("domain", "devices", "disks"),
        "beside": _beside_images(),
        "metadata": f"{_or_empty('object.spec.template.?metadata', '{}')}",
        "kubevirts": f"{_or_empty('variables.metadata.?annotations', '{}')}.filter(k, "
        "k.split('/', 2)[0] == 'kubevirt.io' || k.split('/', 2)[0].endsWith('.kubevirt.io'))",
    }


def workload_images() -> str:
    """All images that a Workload names, as a list of strings: those of its template, those that its machine
    boots, and those in overrides. For tools that look at images, in the environment of
    ValidatingAdmissionPolicies.
    """
    return f"({_template_images()} + {booted_images()}).filter(s, s != '')"


def booted_images() -> str:
    """The images that the Workload itself has a machine boot, or gives it as disks."""
    return (
        f"({_MACHINE}.?guestImage.hasValue() ? [object.spec.virtualMachine.guestImage] : []) "
        f"+ {_listed('volumes')}.filter(v, v.?containerDisk.orValue(null) != null)"
        ".map(v, v.containerDisk.?image.orValue(null) == null ? '' : string(v.containerDisk.image)) "
        f"+ ({_kernel(5)}.orValue(null) == null ? [] : [string({_kernel(5)}.value())])"
    )


def _template_images() -> str:
    return (
        f"{_of_containers('initContainers')} + {_of_containers('containers')} "
        f"+ {_or_empty(f'{_POD}.?volumes')}.filter(v, v.?image.orValue(null) != null)"
        ".map(v, v.image.?reference.orValue(null) == null ? '' : string(v.image.reference))"
    )


def _of_containers(kind: str) -> str:
    return f"{_or_empty(f'{_POD}.?{kind}')}.map(c, c.?image.orValue(''))"


def _beside_images() -> str:
    """The overrides by which a machine boots or runs something that no image of its names."""
    taken_away = " + ".join(
        f"({_kernel(depth)} == optional.of(null) ? ['{'.'.join(_KERNEL[:depth])}'] : [])"
        for depth in range(1, len(_KERNEL) + 1)
    )
    return (
        f"{taken_away} "
        f"+ ({_kernel(3)}.?kernelArgs.orValue(null) != null "
        "? ['domain.firmware.kernelBoot.kernelArgs'] : []) "
        f"+ {_listed('volumes')}.filter(v, v.?name.orValue('') in ['manifest', 'trust'] "
        "|| (v.?name.orValue('') == 'guest' && v.?containerDisk.orValue(null) == null))"
        ".map(v, 'volumes[' + v.name + ']') "
        "+ variables.disks.filter(d, d.?serial.orValue('').trim() in ['guest', 'manifest', 'trust'] "
        "&& d.?name.orValue('') != d.serial.trim())"
        ".map(d, 'domain.devices.disks[' + d.?name.orValue('') + '].serial') "
        "+ (variables.disks.exists(d, d.?serial.orValue('').trim() == 'manifest') "
        f"&& !variables.disks.exists(d, {_TRUST_DISK}) "
        "? ['domain.devices.disks without the disk trust'] : [])"
    )


def _listed(*path: str) -> str:
    """A list in overrides, where null is as good as absent."""
    return _or_empty("".join((_OVERRIDES, *(f".?{key}" for key in path))))


def _or_empty(optional: str, empty: str = "[]") -> str:
    """A field that may be null, which is as good as absent."""
    return f"({optional}.orValue(null) == null ? {empty} : {optional}.value())"


def _kernel(depth: int) -> str:
    """A field on the way to the image that the kernel comes from, as an optional."""
    return "".join((_OVERRIDES, *(f".?{key}" for key in _KERNEL[:depth])))


def _labels(obj: str) -> str:
    return f"has({obj}.metadata.labels) ? {obj}.metadata.labels : {{}}"


def _patterns(texts: str) -> str:
    """Patterns as regular expressions."""
    parts = ", ".join(
        f"'{part}': p.{part} == '' ? '' : '^' + {_expression(f'p.{part}')} + '$'"
        for part in ("tag", "digest")
    )
    return f"{_in_full(_split(texts))}.map(p, {{'name': '^' + {_expression('p.name')} + '$', {parts}}})"


def _images(texts: str) -> str:
    """Images in full."""
    latest = "{'name': i.name, 'tag': 'latest', 'digest': ''}"
    return f"{_in_full(_split(texts))}.map(i, i.tag == '' && i.digest == '' ? {latest} : i)"


def _admits(selector: str, labels: str) -> str:
    """A label selector, as api/selector.py decides it."""
    return (
        f"((!has({selector}.matchLabels) || {selector}.matchLabels.all(k, "
        f"k in {labels} && {labels}[k] == {selector}.matchLabels[k])) "
        f"&& (!has({selector}.matchExpressions) || {selector}.matchExpressions.all(r, "
        f"r.operator == 'In' ? r.key in {labels} && {labels}[r.key] in r.values : "
        f"r.operator == 'NotIn' ? !(r.key in {labels} && {labels}[r.key] in r.values) : "
        f"(r.key in {labels}) == (r.operator == 'Exists'))))"
    )


def _split(names: str) -> str:
    """Names of images, or patterns of them, each as its name, tag and digest. A value's fields are strings
    all along: CEL has no maps of several types.
    """
    end = "i.named.lastIndexOf('/') + 1"
    return (
        f"({names})"
        ".map(s, {'named': s.split('@', 2)[0], 'digest': s.contains('@') ? s.split('@', 2)[1] : ''})"
        f".map(i, {{'path': i.named.substring(0, {end}), 'last': i.named.substring({end}), "
        "'digest': i.digest})"
        ".map(i, {'name': i.path + i.last.split(':', 2)[0], "
        "'tag': i.last.contains(':') ? i.last.split(':', 2)[1] : '', 'digest': i.digest})"
    )


def _in_full(names: str) -> str:
    """The same with the registry and, at Docker Hub, the namespace. What begins with ** is left as it is."""
    also = "'name': i.name, 'tag': i.tag, 'digest': i.digest"
    first = "i.name.split('/', 2)[0]"
    is_host = (
        f"i.name.contains('/') && ({first} == 'localhost' || {first}.contains('.') || {first}.contains(':') "
        f"|| {first} != {first}.lowerAscii())"
    )
    return (
        f"{names}.map(i, {is_host} "
        f"? {{'host': {first}.lowerAscii(), 'path': i.name.split('/', 2)[1], {also}}} "
        f": {{'host': 'docker.io', 'path': i.name, {also}}})"
        f".map(i, {{'host': i.host, 'port': i.host.find(':[0-9]+$'), 'path': i.path, {also}}})"
        ".map(i, {'host': i.host.substring(0, size(i.host) - size(i.port)), "
        f"'port': i.port.find('[1-9][0-9]*$|0$'), 'path': i.path, {also}}})"
        ".map(i, {'host': i.port in ['', '443'] ? i.host : i.host + ':' + i.port, "
        f"'path': i.path, {also}}})"
        f".map(i, {{'host': i.host in {_HUB_ALIASES} ? 'docker.io' : i.host, 'path': i.path, {also}}})"
        ".map(i, {'name': i.name.startsWith('**') ? i.name : i.host + "
        "(i.host == 'docker.io' && !i.path.contains('/') && !i.path.contains('**') ? '/library/' : '/') "
        "+ i.path, "
        "'tag': i.tag, 'digest': i.digest})"
    )


def _expression(glob: str) -> str:
    """A glob as a regular expression. No pattern has a `!`, which stands for ** meanwhile."""
    return (
        f"{glob}.replace('.', '[.]').replace('?', '[^/]').replace('**', '!').replace('*', '[^/]*')"
        ".replace('!', '.*')"
    )
