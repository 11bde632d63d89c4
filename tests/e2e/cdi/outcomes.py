"""How an import ends: the Workload says what to do, or its disk is the one that was served."""

from __future__ import annotations

from tests.e2e.cdi.disk import DiskWorkload
from tests.e2e.operator.subject import condition
from tests.importer.kubelet import Kubelet


def fails(web: DiskWorkload, kubelet: Kubelet, *words: str) -> None:
    """Runs the importer twice, as it fails, and waits until the Workload says so in these words."""
    assert kubelet.imports(web.namespace).exit_code != 0
    kubelet.again(web.namespace)
    assert kubelet.imports(web.namespace).exit_code != 0

    def says_why() -> bool:
        failed = web.becomes("DiskFailed")
        status, reason, message = condition(failed, "Stalled")
        assert (status, reason) == ("True", "DiskFailed")
        assert failed["status"]["disks"][0]["message"] in message
        assert [one for one in words if one not in message] == [], message
        return True

    web.eventually(says_why, "it says why")
    assert "VirtualMachine" not in web.belongings()


def succeeds(web: DiskWorkload, kubelet: Kubelet, content: bytes) -> None:
    """Runs the importer, which fills the disk; the Workload then goes on, and nothing is left over."""
    ended = kubelet.imports(web.namespace)
    assert ended.exit_code == 0, ended.log
    web.becomes("Ready")
    assert imported(web, kubelet)[: len(content)] == content
    api = web.cluster.api

    def alone() -> bool:
        claims = api.list("PersistentVolumeClaim", web.namespace)
        assert [claim["metadata"]["name"] for claim in claims if not _goes(claim)] == [web.claim]
        return not [pod for pod in api.list("Pod", web.namespace) if _is_importer(pod)]

    web.eventually(alone, "nothing is left over")


def imported(web: DiskWorkload, kubelet: Kubelet) -> bytes:
    """All that is on the disk."""
    is_block = web.one("PersistentVolumeClaim", web.claim)["spec"].get("volumeMode") == "Block"
    return (kubelet.device if is_block else kubelet.disk)(web.namespace, web.claim).read_bytes()


def _goes(obj: dict[str, dict[str, str]]) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def _is_importer(pod: dict[str, dict[str, str]]) -> bool:
    return pod["metadata"]["name"].startswith("importer-") and not _goes(pod)
