"""By name and reason: what isn't Ready, what can't be in a machine, and what has to be there already."""

from __future__ import annotations

#: What isn't Ready, and why.
UNREADY = {
    # It clones a disk of another namespace, which doesn't let the operator.
    "kubernetes/machine-of-an-instancetype: centos": ["DataVolumeRefused"],
    # It asks for huge pages and for CPUs of its own, which no node here has.
    "kubernetes/machine: fedora": ["Unschedulable"],
}
#: What can't be in a machine: the fields that a machine can't honour.
REFUSED: dict[str, list[str]] = {
    # The machine has no device plugins.
    "compose/deploy-resources: gpu": ["spec.containers[gpu].resources.limits[nvidia.com/gpu]"],
    "compose/deploy-resources: listed": ["spec.containers[listed].resources.limits[nvidia.com/gpu]"],
    "docker-run/resources-16: resources-16": ["spec.containers[cuda].resources.limits[nvidia.com/gpu]"],
    "docker-run/resources-19: resources-19": ["spec.containers[cuda].resources.limits[nvidia.com/gpu]"],
    "docker-run/whole-11: whole-11": ["spec.containers[ollama].resources.limits[nvidia.com/gpu]"],
    # It shares the node's network, ports, processes, IPC or users.
    "compose/home-assistant: homeassistant": ["spec.hostNetwork"],
    "compose/monitoring: node-exporter": ["spec.hostNetwork", "spec.hostPID", "spec.volumes[host].hostPath"],
    "compose/network-modes: agent": ["spec.hostNetwork", "spec.hostPID"],
    "compose/security: soft": ["spec.hostIPC"],
    "docker-run/networks-17: networks-17": ["spec.hostNetwork"],
    "docker-run/networks-2: networks-2": ["spec.hostNetwork"],
    "docker-run/users-25: users-25": ["spec.hostIPC", "spec.hostPID"],
    "docker-run/users-28: users-28": ["spec.hostUsers"],
    "docker-run/users-34: users-34": ["spec.hostPID"],
    "docker-run/whole-6: whole-6": ["spec.hostNetwork", "spec.hostPID", "spec.volumes[host].hostPath"],
    "docker-run/whole-7: whole-7": ["spec.hostUsers"],
    "kubernetes/daemonset: agent": [
        "spec.containers[agent].ports[metrics].hostPort",
        "spec.hostNetwork",
        "spec.hostPID",
        "spec.volumes[root].hostPath",
    ],
    # It reads the node's files.
    "compose/volumes-short: app": ["spec.volumes[host-proc].hostPath"],
    "docker-run/storage-10: storage-10": [
        "spec.volumes[host-proc].hostPath",
        "spec.volumes[host-sys].hostPath",
        "spec.volumes[host].hostPath",
    ],
    "docker-run/storage-11: storage-11": ["spec.volumes[host-dev-snd].hostPath"],
    "docker-run/storage-24: storage-24": ["spec.volumes[host-dev-snd].hostPath"],
    "docker-run/whole-12: whole-12": ["spec.volumes[host-lib-modules].hostPath"],
    # It is told its node, which the scheduler chooses for a machine.
    "kubernetes/pod: shell": ["spec.nodeName"],
    # KubeVirt shares a claim's files as user 107 only.
    "compose/hooks: app": [
        "spec.initContainers[pre-start-1].securityContext.runAsUser",
        "spec.containers[app].securityContext.runAsUser",
    ],
    "compose/monitoring: prometheus": ["spec.containers[prometheus].securityContext.runAsUser"],
    "docker-run/whole-2: whole-2": ["spec.containers[grafana].securityContext.runAsUser"],
    # The guest has no AppArmor and no SELinux.
    "docker-run/users-20: users-20": ["spec.containers[nginx].securityContext.appArmorProfile.type"],
    "docker-run/users-21: users-21": [
        "spec.containers[nginx].securityContext.appArmorProfile.localhostProfile",
        "spec.containers[nginx].securityContext.appArmorProfile.type",
    ],
    "docker-run/users-22: users-22": ["spec.containers[nginx].securityContext.seLinuxOptions"],
    # A guest asks name servers by IPv4 only.
    "docker-run/networks-11: networks-11": ["spec.dnsConfig.nameservers"],
}
#: What Compose files say is there already (`external`).
EXTERNAL = {
    "compose/configs: ConfigMap shared-config",
    "compose/secrets: Secret tls-key",
    "compose/volumes-declared: PersistentVolumeClaim kept-data",
    "compose/volumes-declared: PersistentVolumeClaim old-data",
}
