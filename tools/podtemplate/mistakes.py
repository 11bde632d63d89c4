"""Mistakes in a template that a Deployment is refused for, said of a Workload as early: at admission.

What each rule holds is from k8s.io/kubernetes pkg/apis/core/validation/validation.go. A rule takes null for
absent. What CEL would take too long for, by the API server's estimate, is a pattern: those cost nothing.
What is unchanged in an update is let through, whatever it is (KEP-4008, CRD validation ratcheting).
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.podtemplate.upstream import Schema

_CONTAINERS = ("spec.containers[]", "spec.initContainers[]")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS = ("lifecycle.postStart", "lifecycle.preStop")

#: A path below a volume: relative, and without `..` (validateLocalDescendingPath).
_SEGMENT = r"([^/.][^/]*|\.([^/.][^/]*)?|\.\.[^/]+)"
_DESCENDING = f"^({_SEGMENT}(/{_SEGMENT}?)*)?$"
#: IsValidPortName, or no name at all; containerPort's own length is bounded elsewhere.
_PORT_NAME = "^(([0-9]+-)*[0-9]*[a-z][a-z0-9]*(-[a-z0-9]+)*)?$"
#: IsRelaxedEnvVarName: printable, without `=`.
_VARIABLE = "^[ -<>-~]+$"
#: validLabelValue, as of labels.
_LABEL_VALUE = "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"
#: The fields of a Pod that its variables, and its volumes, may have (validEnvDownwardAPIFieldPathExpressions,
#: validVolumeDownwardAPIFieldPathExpressions; spec.host is the old name of spec.nodeName).
_IN_BOTH = r"metadata\.(name|namespace|uid)|metadata\.(labels|annotations)\['[^']+'\]"
_IN_VARIABLES = rf"^({_IN_BOTH}|spec\.(nodeName|host|serviceAccountName)|status\.(host|pod)IPs?)$"
_IN_VOLUMES = rf"^({_IN_BOTH}|metadata\.(labels|annotations))$"
#: Fields of which every two are compared, rather than all counted.
_FEW = 6
#: A name as RFC 1123 has it, or none.
_HOST_NAME: Schema = {"maxLength": 63, "pattern": "^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$"}


def ruled(schema: Schema) -> Schema:
    """A template's schema with the rules in it. Raises KeyError for a rule of a field that there isn't."""
    for path, added in _rules(schema):
        field = _at(schema, path)
        rules = [*field.get("x-kubernetes-validations", ()), *added.get("x-kubernetes-validations", ())]
        field.update(added, **({"x-kubernetes-validations": rules} if rules else {}))
    return schema


def _rules(schema: Schema) -> Iterator[tuple[str, Schema]]:
    yield from _metadata()
    yield from _pod()
    for at in _CONTAINERS:
        yield from _container(at)
    yield from _volumes(schema)


def _metadata() -> Iterator[tuple[str, Schema]]:
    qualified = "use a name of letters, digits, '-', '_' and '.', with a prefix and '/' before it if need be"
    key = "self.all(key, !format.qualifiedName().validate(key{lower}).hasValue())"
    yield "metadata.labels", _rule(key.format(lower=""), f"a label's key is none: {qualified}")
    yield "metadata.labels.*", {"pattern": _LABEL_VALUE}
    message = f"an annotation's key is none: {qualified}"
    yield "metadata.annotations", _rule(key.format(lower=".lowerAscii()"), message)
    yield "spec.nodeSelector", _rule(key.format(lower=""), f"a label's key is none: {qualified}")
    yield "spec.nodeSelector.*", {"maxLength": 63, "pattern": _LABEL_VALUE}


def _pod() -> Iterator[tuple[str, Schema]]:
    yield "spec.hostname", _HOST_NAME
    yield "spec.subdomain", _HOST_NAME
    yield "spec.activeDeadlineSeconds", {"minimum": 1}
    yield (
        "spec",
        _rule(
            f"!{_is_set('self.initContainers')} || self.initContainers.all(i, "
            "!self.containers.exists(c, c.name == i.name))",
            "an init container has the name of a container: rename one of them",
            ".initContainers",
        ),
    )
    yield (
        "spec",
        _rule(
            "!has(self.dnsPolicy) || dyn(self.dnsPolicy) == null || self.dnsPolicy != 'None' "
            f"|| {_is_set('self.dnsConfig')} && {_is_set('self.dnsConfig.nameservers')} "
            "&& size(self.dnsConfig.nameservers) > 0",
            "dnsPolicy None leaves no name server: add one to dnsConfig.nameservers, or use another policy",
            ".dnsPolicy",
        ),
    )
    for kind in ("containers", "initContainers"):
        for used in ("volumeMounts", "volumeDevices"):
            yield "spec", _of_no_volume(kind, used)
    tolerations = "spec.tolerations[]"
    operator = "has(self.operator) && dyn(self.operator) != null"
    yield (
        tolerations,
        _rule(
            f"!({operator} && self.operator == 'Exists') || !{_is_set('self.value')} || self.value == ''",
            "operator Exists takes no value: remove value, or use operator Equal",
            ".value",
        ),
    )
    yield (
        tolerations,
        _rule(
            f"{_is_set('self.key')} && self.key != '' || {operator} && self.operator == 'Exists'",
            "a toleration without a key is for all taints: use operator Exists, or add a key",
        ),
    )
    yield (
        tolerations,
        _rule(
            f"!{_is_set('self.tolerationSeconds')} || {_is_set('self.effect')} && self.effect == 'NoExecute'",
            "tolerationSeconds is for effect NoExecute: set that, or remove tolerationSeconds",
            ".tolerationSeconds",
        ),
    )
    yield "spec.topologySpreadConstraints[].maxSkew", {"minimum": 1}
    for affinity in ("podAffinity", "podAntiAffinity", "nodeAffinity"):
        weight = f"spec.affinity.{affinity}.preferredDuringSchedulingIgnoredDuringExecution[].weight"
        yield weight, {"minimum": 1, "maximum": 100}


def _of_no_volume(kind: str, used: str) -> Schema:
    """Mounts or devices of volumes that the Pod hasn't."""
    volumes = f"{_is_set('self.volumes')} ? self.volumes.transformMapEntry(i, v, {{v.name: true}}) : {{}}"
    fits = f"!{_is_set(f'c.{used}')} || c.{used}.all(u, u.name in names)"
    every = f"!{_is_set(f'self.{kind}')} || [{volumes}].all(names, self.{kind}.all(c, {fits}))"
    return _rule(
        every,
        f"one of the {used} names no volume: add it to volumes, or correct its name",
        f".{kind}",
    )


def _container(at: str) -> Iterator[tuple[str, Schema]]:
    for probe in _PROBES:
        yield f"{at}.{probe}", _one_of("a probe", "exec", "grpc", "httpGet", "tcpSocket")
        yield f"{at}.{probe}.httpGet.port", _port()
        yield f"{at}.{probe}.tcpSocket.port", _port()
        for seconds in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold"):
            yield f"{at}.{probe}.{seconds}", {"minimum": 0}
    for probe in ("livenessProbe", "startupProbe"):
        yield f"{at}.{probe}.successThreshold", {"minimum": 0, "maximum": 1}
    for hook in _HOOKS:
        yield f"{at}.{hook}", _one_of("a hook", "exec", "httpGet", "sleep", "tcpSocket")
    yield f"{at}.ports[].name", {"pattern": _PORT_NAME}
    # A key that is given twice ends the rule, and the API server then says the key and this message.
    named = f"self.filter(p, {_is_set('p.name')} && p.name != '')"
    yield (
        f"{at}.ports",
        _rule(
            f"size({named}.transformMapEntry(i, p, {{p.name: true}})) >= 0",
            "two ports of a container have one name: rename one",
        ),
    )
    yield f"{at}.env[].name", {"minLength": 1, "pattern": _VARIABLE}
    yield (
        f"{at}.env[]",
        _rule(
            f"!{_is_set('self.valueFrom')} || !{_is_set('self.value')} || self.value == ''",
            "a variable has value and valueFrom: keep one",
        ),
    )
    yield (
        f"{at}.env[].valueFrom",
        _one_of("valueFrom", "configMapKeyRef", "fieldRef", "fileKeyRef", "resourceFieldRef", "secretKeyRef"),
    )
    yield f"{at}.env[].valueFrom.fieldRef.fieldPath", {"pattern": _IN_VARIABLES}
    yield f"{at}.envFrom[]", _one_of("an element of envFrom", "configMapRef", "secretRef")
    yield f"{at}.volumeMounts[].subPath", {"pattern": _DESCENDING}
    yield f"{at}.volumeMounts[].mountPath", {"minLength": 1}
    yield (
        f"{at}.volumeMounts[]",
        _rule(
            f"!{_is_set('self.subPath')} || self.subPath == '' || !{_is_set('self.subPathExpr')} "
            "|| self.subPathExpr == ''",
            "a mount has subPath and subPathExpr: keep one",
        ),
    )
    privileged, escalation = "self.privileged", "self.allowPrivilegeEscalation"
    yield (
        f"{at}.securityContext",
        _rule(
            f"!({_is_set(privileged)} && {privileged} && {_is_set(escalation)} && !{escalation})",
            "a privileged container has every privilege: set allowPrivilegeEscalation to true, remove it, or "
            "remove privileged",
            ".allowPrivilegeEscalation",
        ),
    )
    if at.startswith("spec.init"):
        fields = ("lifecycle", *_PROBES)
        yield (
            at,
            _rule(
                "has(self.restartPolicy) && dyn(self.restartPolicy) == 'Always' || "
                f"![{', '.join(_is_set(f'self.{field}') for field in fields)}].exists(x, x)",
                "an init container that ends has no probes and no lifecycle: remove them, or set its "
                "restartPolicy to Always, which makes it a sidecar",
            ),
        )


def _volumes(schema: Schema) -> Iterator[tuple[str, Schema]]:
    volume = "spec.volumes[]"
    kinds = sorted(_at(schema, volume)["properties"].keys() - {"name"})
    yield volume, _rule(_most_one(tuple(kinds)), "a volume has one source: keep one")
    projected = f"{volume}.projected.sources[]"
    sources = tuple(sorted(_at(schema, projected)["properties"]))
    yield projected, _rule(_most_one(sources), f"a source has one of {', '.join(sources)}: keep one")
    for at in (volume, projected):
        for kind in ("configMap", "secret", "downwardAPI"):
            yield f"{at}.{kind}.items[].path", {"minLength": 1, "pattern": _DESCENDING}
        yield f"{at}.downwardAPI.items[].fieldRef.fieldPath", {"pattern": _IN_VOLUMES}
    # Those of projected sources are too many for any rule.
    yield f"{volume}.downwardAPI.items[]", _one_of("a file", "fieldRef", "resourceFieldRef")
    yield f"{projected}.serviceAccountToken.path", {"minLength": 1, "pattern": _DESCENDING}


def _one_of(what: str, *fields: str) -> Schema:
    choice = f"{', '.join(fields[:-1])} and {fields[-1]}"
    return _rule(f"{_most_one(fields)} && {_any(fields)}", f"{what} has one of {choice}: keep or add one")


def _most_one(fields: tuple[str, ...]) -> str:
    """That no two fields are there. Of few fields this costs less than to count them, and longer ones less to
    read.
    """
    if len(fields) > _FEW:
        return f"[{', '.join(_is_set(f'self.{field}') for field in fields)}].filter(x, x).size() <= 1"
    first, *others = fields
    if len(others) == 1:
        return f"!({_is_set(f'self.{first}')} && {_is_set(f'self.{others[0]}')})"
    return f"({_is_set(f'self.{first}')} ? !{_any(tuple(others))} : {_most_one(tuple(others))})"


def _any(fields: tuple[str, ...]) -> str:
    return f"({' || '.join(_is_set(f'self.{field}') for field in fields)})"


def _port() -> Schema:
    """A port's number, or its name in the container."""
    return _rule(
        "type(self) == int ? int(self) > 0 && int(self) < 65536 : string(self) != ''",
        "a port is a number from 1 to 65535, or a port's name: correct it",
    )


def _is_set(field: str) -> str:
    """Whether a field is there; null is as good as absent."""
    return f"(has({field}) && dyn({field}) != null)"


def _rule(rule: str, message: str, field: str = "") -> Schema:
    return {
        "x-kubernetes-validations": [
            {"rule": rule, "message": message, **({"fieldPath": field} if field else {})}
        ]
    }


def _at(schema: Schema, path: str) -> Schema:
    """The schema of a field by its path: `[]` for a list's elements, `.*` for a map's values."""
    for name in path.replace("[]", ".[]").split("."):
        if name == "[]":
            schema = schema["items"]
        elif name == "*":
            schema = schema["additionalProperties"]
        else:
            schema = schema["properties"][name]
    return schema
