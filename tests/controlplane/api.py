"""A small client of the Kubernetes API on raw dicts: what to poll with, where kubectl takes too long."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import urllib3
from kubernetes import client, config

from tests.controlplane.polling import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Manifest = dict[str, Any]
Manifests = list[Manifest]

#: By which the audit log tells the tests from whom they act as.
USER_AGENT = "twinhull-tests"
_OURS = "twinhull.dev"
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_PATCHES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


class ApiError(OSError):
    """The API server refused a request, or can't be reached (`code` 0). `message` is what it says itself."""

    def __init__(self, code: int, message: str, status: Manifest | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status or {}


class Api:
    """Requests to the API server as the user of a kubeconfig.

    A kind is named as kubectl would take it: `Pod`, or `VirtualMachine.kubevirt.io` where that is ambiguous.
    `Workload` is ours, even where the API server serves Kubernetes' own.
    """

    def __init__(self, kubeconfig: Path, context: str | None = None) -> None:
        settings = client.Configuration()
        config.load_kube_config(  # type: ignore[no-untyped-call]
            str(kubeconfig), context, client_configuration=settings, persist_config=False
        )
        self.server: str = settings.host
        token = settings.get_api_key_with_prefix("BearerToken")
        self._headers = {"User-Agent": USER_AGENT, **({"Authorization": token} if token else {})}
        self._pool = urllib3.PoolManager(
            maxsize=8,
            ca_certs=settings.ssl_ca_cert,
            cert_file=settings.cert_file,
            key_file=settings.key_file,
            cert_reqs="CERT_REQUIRED",
            timeout=PATIENCE,  # the connection's TLS handshake waits for the server, too
            retries=False,
        )
        self._resources: dict[str, tuple[str, bool]] = {}

    def get(self, kind: str, name: str, namespace: str | None = None) -> Manifest | None:
        """The object, or None when there is none."""
        try:
            return self.request("GET", self.path(kind, namespace, name))
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def list(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> Manifests:
        """The objects of a namespace, or of all; in lists the API leaves out `kind` and `apiVersion`."""
        query = {"labelSelector": labels, "fieldSelector": fields}
        items: list[Manifest] = self.request("GET", self.path(kind, namespace), query=query)["items"]
        return items

    def create(self, manifest: Manifest) -> Manifest:
        """Creates the object and gives it back as it is then."""
        return self.request("POST", self._path_of(manifest, named=False), manifest)

    def apply(self, manifest: Manifest, *, manager: str = "tests", subresource: str = "") -> Manifest:
        """Server-side apply, taking over fields of other managers."""
        query = {"fieldManager": manager, "force": "true"}
        path = self._path_of(manifest) + (f"/{subresource}" if subresource else "")
        return self.request("PATCH", path, manifest, content_type=_PATCHES["apply"], query=query)

    def patch(
        self,
        kind: str,
        name: str,
        namespace: str | None,
        patch: Manifest | Manifests,
        *,
        subresource: str = "",
    ) -> Manifest:
        """A merge patch, or a JSON patch when it is a list."""
        path = self.path(kind, namespace, name) + (f"/{subresource}" if subresource else "")
        content_type = _PATCHES["json" if isinstance(patch, list) else "merge"]
        return self.request("PATCH", path, patch, content_type=content_type)

    def delete(self, kind: str, name: str, namespace: str | None = None) -> None:
        """Asks for the object's deletion and doesn't wait for it; it may already be gone."""
        try:
            self.request("DELETE", self.path(kind, namespace, name))
        except ApiError as error:
            if error.code != 404:
                raise

    def may(self, verb: str, group: str, resource: str, namespace: str = "", name: str = "") -> bool:
        """Whether this user has a right: `resource` is a plural, with a subresource after a slash.

        The API server knows of a Role and its binding some time after it has taken them.
        """
        plural, _, subresource = resource.partition("/")
        about = {"verb": verb, "group": group, "resource": plural, "subresource": subresource}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {**about, "namespace": namespace, "name": name}},
        }
        return bool(self.create(review)["status"]["allowed"])

    def path(self, kind: str, namespace: str | None = None, name: str | None = None) -> str:
        """The path of a kind's collection or of one object."""
        if kind not in self._resources:
            self._discover()
        if kind not in self._resources:
            raise ApiError(404, f"the server has no kind {kind}")
        prefix, namespaced = self._resources[kind]
        group_version, plural = prefix.rsplit("/", 1)
        scope = f"/namespaces/{namespace}" if namespaced and namespace else ""
        return f"{group_version}{scope}/{plural}" + (f"/{name}" if name else "")

    def request(  # noqa: PLR0913 - what a request consists of
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        query: dict[str, str] | None = None,
        accept: str = "application/json",
    ) -> Manifest:
        """Any request; gives the decoded answer, raises ApiError for a refusal."""
        status, data = self.raw(method, path, body, content_type=content_type, query=query, accept=accept)
        if status < 400:
            answer: Manifest = json.loads(data)
            return answer
        try:
            refusal = json.loads(data)
        except ValueError:
            refusal = {"message": data.decode(errors="replace")}
        raise ApiError(status, refusal.get("message", ""), refusal)

    def raw(  # noqa: PLR0913 - as above
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        query: dict[str, str] | None = None,
        accept: str = "*/*",
    ) -> tuple[int, bytes]:
        """Any request; gives the status code and the answer's bytes. A body in bytes is sent as it is."""
        arguments = urlencode({key: value for key, value in (query or {}).items() if value})
        try:
            response = self._pool.request(
                method,
                self.server + path + (f"?{arguments}" if arguments else ""),
                body=body if body is None or isinstance(body, bytes) else json.dumps(body),
                headers={**self._headers, "Accept": accept, "Content-Type": content_type},
            )
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(0, f"{method} {path}: {error}") from error
        return response.status, response.data

    def watch(
        self, kind: str, namespace: str, version: str, *, labels: str, seconds: int
    ) -> Iterator[Manifest]:
        """The events since a resource version as they come, bookmarks among them, for some seconds."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "labelSelector": labels,
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
        }
        response = self._pool.request(
            "GET",
            f"{self.server}{self.path(kind, namespace)}?{urlencode(query)}",
            headers=self._headers,
            preload_content=False,
        )
        rest = b""
        try:
            for chunk in response.stream():
                *lines, rest = (rest + chunk).split(b"\n")
                yield from map(_event, lines)
        except GeneratorExit:  # who asked wants no more
            response.close()
            raise
        response.release_conn()

    def close(self) -> None:
        """Closes the connections."""
        self._pool.clear()

    def _path_of(self, manifest: Manifest, *, named: bool = True) -> str:
        group, _, _ = manifest["apiVersion"].rpartition("/")
        kind = f"{manifest['kind']}.{group}" if group else manifest["kind"]
        metadata = manifest.get("metadata", {})
        return self.path(kind, metadata.get("namespace"), metadata["name"] if named else None)

    def _discover(self) -> None:
        """Learns all kinds in two requests; the core group and each group's preferred version come first.
        Of two groups with a kind of the same name ours is taken, else the first.

        https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery
        """
        resources: dict[str, tuple[str, bool]] = {}
        for root in ("/api", "/apis"):
            for group in self.request("GET", root, accept=_DISCOVERY)["items"]:
                group_name = group.get("metadata", {}).get("name", "")
                for version in group["versions"]:
                    prefix = f"{root}/{group_name}/{version['version']}".replace("//", "/")
                    for resource in version.get("resources", []):
                        kind = resource["responseKind"]["kind"]
                        where = (f"{prefix}/{resource['resource']}", resource["scope"] == "Namespaced")
                        if group_name == _OURS:
                            resources[kind] = where
                        resources.setdefault(kind, where)
                        resources.setdefault(f"{kind}.{group_name}".removesuffix("."), where)
        self._resources = resources


def _event(line: bytes) -> Manifest:
    """An event of a watch. Raises ApiError for what ends it early."""
    event: Manifest = json.loads(line)
    if event["type"] == "ERROR":
        raise ApiError(event["object"]["code"], event["object"]["message"], event["object"])
    return event
