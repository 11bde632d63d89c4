"""The ValidatingAdmissionPolicy that refuses, at once and in CEL, what an IsolationPolicy would reject.

It says what `core/isolation` says of a Workload that names its isolation, which a test makes sure of
(tests/e2e/operator/test_admission.py). Every IsolationPolicy is a parameter of it, so nothing has to be kept
in step.
"""

from __future__ import annotations

from twinhull.api.base import API_VERSION, GROUP, VERSION, Raw

NAME = f"isolation.{GROUP}"

_POD = "object.spec.template.spec"
_MATCH = "params.spec.match"
#: Docker Hub by its other names, as in core/isolation/images.py.
_HUB_ALIASES = "['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']"
_ORDER = "{'Container': 0, 'Sandbox': 1, 'VirtualMachine': 2}"


def admission() -> list[Raw]:
    """The policy and its binding, as they can be applied."""
    return [_policy(), _binding()]


def _policy() -> Raw:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": NAME},
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
            "variables": [{"name": name, "expression": text} for name, text in _variables().items()],
            "validations": [
                {
                    "expression": "!(variables.weaker && variables.placed && variables.labelled "
                    "&& variables.runsAs && variables.pulls)",
                    "messageExpression": "'IsolationPolicy ' + params.metadata.name + ' requires ' + "
                    "params.spec.minimum + (params.spec.minimum == 'VirtualMachine' ? '' : ' or stronger') + "
                    "', and spec.isolationPolicy asks for ' + object.spec.isolationPolicy + "
                    "': set spec.isolationPolicy to ' + params.spec.minimum + "
                    "(params.spec.minimum == 'VirtualMachine' ? '' : ' or stronger')",
                    "reason": "Forbidden",
                }
            ],
        },
    }


def _binding() -> Raw:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": NAME},
        "spec": {
            "policyName": NAME,
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


def _variables() -> dict[str, str]:
    """Each may refer to those before it. None is worked out unless it is needed."""
    given = f"has({_MATCH})"
    return {
        "weaker": "params.spec.onViolation == 'Reject' && has(params.spec.minimum) "
        f"&& object.spec.isolationPolicy in {_ORDER} "
        f"&& {_ORDER}[object.spec.isolationPolicy] < {_ORDER}[params.spec.minimum]",
        "namespaceLabels": _labels("namespaceObject"),
        "placed": f"!{given} || !has({_MATCH}.namespaceSelector) || "
        + _admits(f"{_MATCH}.namespaceSelector", "variables.namespaceLabels"),
        "labels": _labels("object"),
        "labelled": f"!{given} || !has({_MATCH}.workloadSelector) || "
        + _admits(f"{_MATCH}.workloadSelector", "variables.labels"),
        "account": f"has({_POD}.serviceAccountName) && {_POD}.serviceAccountName != '' ? "
        f"{_POD}.serviceAccountName : has({_POD}.serviceAccount) && {_POD}.serviceAccount != '' ? "
        f"{_POD}.serviceAccount : 'default'",
        "runsAs": f"!{given} || !has({_MATCH}.serviceAccounts) || size({_MATCH}.serviceAccounts) == 0 "
        f"|| {_MATCH}.serviceAccounts.exists(s, s == variables.account "
        "|| s == object.metadata.namespace + '/' + variables.account)",
        "patterns": _in_full(_split(f"{given} && has({_MATCH}.images) ? {_MATCH}.images : []"))
        + ".map(p, {'name': '^' + "
        + _expression("p.name")
        + " + '$', 'tag': p.tag == '' ? '' : '^' + "
        + _expression("p.tag")
        + " + '$', 'digest': p.digest == '' ? '' : '^' + "
        + _expression("p.digest")
        + " + '$'})",
        "images": _in_full(
            _split(
                f"((has({_POD}.initContainers) ? {_images('initContainers')} : []) + {_images('containers')}"
                f" + (has({_POD}.volumes) ? {_POD}.volumes.filter(v, has(v.image) && has(v.image.reference))"
                ".map(v, v.image.reference) : []))"
                ".filter(s, s != '')"
            )
        )
        + ".map(i, i.tag == '' && i.digest == '' ? {'name': i.name, 'tag': 'latest', 'digest': ''} : i)",
        "pulls": "size(variables.patterns) == 0 || variables.images.exists(i, variables.patterns.exists(p, "
        "i.name.matches(p.name) && (p.tag == '' || i.tag.matches(p.tag)) "
        "&& (p.digest == '' || i.digest.matches(p.digest))))",
    }


def _labels(obj: str) -> str:
    return f"has({obj}.metadata.labels) ? {obj}.metadata.labels : {{}}"


def _images(containers: str) -> str:
    return f"{_POD}.{containers}.map(c, has(c.image) ? c.image : '')"


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
