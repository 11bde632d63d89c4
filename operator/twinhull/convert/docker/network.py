"""A container's network: names, addresses, name servers.

Sources: docker run's reference (`--network`, `--dns`, `--add-host`, `--hostname`, `--sysctl`);
k8s.io/api/core/v1 (PodSpec, PodDNSConfig: three name servers and 32 search domains at most).
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from twinhull.api.group import WORKLOAD_LABEL, Raw
from twinhull.api.objectnames import is_label, is_subdomain
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.addresses import is_address
from twinhull.convert.docker.draft import Draft, Refused
from twinhull.convert.docker.givenoptions import GivenOptions, InputValue
from twinhull.convert.docker.names import is_service_name, label
from twinhull.convert.docker.options import OPTIONS
from twinhull.convert.docker.security import ONE_POD, may_bind

_MOST_SERVERS = 3
_MOST_DOMAINS = 32
#: The longest name that the API server takes (k8s.io/kubernetes/pkg/apis/core/validation, SysctlMaxLength).
_LONGEST_SYSCTL = 253
#: Sysctls that each node allows (k8s.io/kubernetes/pkg/kubelet/sysctl/safe_sysctls.go).
_SAFE = frozenset(
    {
        "kernel.shm_rmid_forced",
        *(
            f"net.ipv4.{name}"
            for name in ("ip_local_port_range", "ip_local_reserved_ports", "ip_unprivileged_port_start")
        ),
        *(f"net.ipv4.{name}" for name in ("ping_group_range", "tcp_fin_timeout", "tcp_keepalive_intvl")),
        *(
            f"net.ipv4.{name}"
            for name in ("tcp_keepalive_probes", "tcp_keepalive_time", "tcp_rmem", "tcp_syncookies")
        ),
        "net.ipv4.tcp_wmem",
    }
)
_SYSCTL = re.compile(r"[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*")
#: The keys of Docker's long form of a network beside name and aliases, and why a Pod can't have them.
OF_NETWORK = {
    **dict.fromkeys(("ip", "ip6", "link-local-ip", "mac-address"), OPTIONS["ip"].sentence),
    **dict.fromkeys(
        ("interface_name", "host_interface_name"),
        "a Pod's interface has the name that the cluster's network gives it, eth0 as a rule",
    ),
    "driver-opt": "the cluster's network gives a Pod its interface, and takes no options of Docker's",
    "gw-priority": "a Pod has one network",
}
#: Modes in which the part after the colon isn't about a network of that name.
_OTHER_MODES = frozenset({"container", "service", "ns", "pasta", "slirp4netns"})
_OWN_NETWORK = (
    "Docker separates networks, and Pods of all namespaces reach each other: to separate them again, write "
    "NetworkPolicies"
)


def mode(options: GivenOptions, draft: Draft) -> None:
    """The option `network`: the container's network. To be called before ports."""
    for network in options.take("network"):
        value = _name(network, draft)
        if value == "host":
            draft.pod["hostNetwork"] = True
        elif value.startswith(("container:", "service:")):
            raise Refused(f"{network.path}: {value[:60]} {ONE_POD}")
        elif value == "none":
            draft.has_no_network = True
            draft.objects.append(_closed(draft.name))
            draft.leave(
                network,
                f"a Pod always has a network: NetworkPolicy {draft.name} closes it, if the cluster's "
                "network enforces NetworkPolicies",
            )
        elif value not in {"", "bridge", "default"}:
            draft.own_network = network.path
            draft.leave(network, _OWN_NETWORK)


def _name(network: InputValue, draft: Draft) -> str:
    """The network's name. Its other settings are put into the draft, or named.

    Docker's long form is name=NETWORK,alias=NAME,… (docs.docker.com/reference/cli/docker/container/run,
    `--network`). Podman's is NETWORK:alias=NAME,… (docs.podman.io, podman-run, `--network`).
    """
    text = str(network.value).strip()
    name, colon, listed = text.partition(":")
    is_podmans = bool(colon) and "=" not in name and "=" in listed and name not in _OTHER_MODES
    if not is_podmans:
        if "=" not in text or name in _OTHER_MODES:
            return text
        name, listed = "", text
    for part in listed.split(","):
        key, equals, value = (word.strip() for word in part.partition("="))
        if not is_podmans and key.lower() not in {"name", "alias", *OF_NETWORK}:
            raise CannotConvert(
                f"{network.path}: {part[:60]!r} isn't a key of a network: write it as in name=shop,alias=db"
            )
        if key.lower() == "name" and not is_podmans:
            name = value
        elif key.lower() == "alias" and equals:
            alias(InputValue(network.path, value), draft)
        else:
            draft.leave(f"{network.path}: {key[:60]}", OF_NETWORK.get(key.lower(), OPTIONS["ip"].sentence))
    if not name:
        raise CannotConvert(f"{network.path}: it has no name: add name=NETWORK")
    return name


def names(options: GivenOptions, draft: Draft) -> None:
    """The options `hostname`, `network-alias`, `add-host`, `dns` and the like. To be called after ports."""
    if (hostname := options.last("hostname")) is not None and hostname.value:
        _hostname(hostname, draft)
    for value in options.take("network-alias"):
        alias(value, draft)
    _hosts(options.take("add-host"), draft)
    _dns(options, draft)
    _sysctls(options.take("sysctl"), draft)


#: The lowest port at which every user may listen, unless the sysctl says otherwise (Linux, ip-sysctl).
_FIRST_UNPRIVILEGED = 1024
_PORT_START = "net.ipv4.ip_unprivileged_port_start"


def let_listen(draft: Draft) -> None:
    """Let a container that isn't root, or lacks NET_BIND_SERVICE, listen at its ports below 1024.

    Docker sets the sysctl to 0 for each container with a network of its own (moby, daemon/oci_linux.go,
    WithSysctls). containerd does so from 2.0 on only (enable_unprivileged_ports), and Kubernetes leaves it to
    the runtime. Every node, and Pod Security's "restricted", allow this sysctl.
    """
    is_low = any(port["containerPort"] < _FIRST_UNPRIVILEGED for port in draft.container.get("ports", ()))
    if draft.has_host_network or not is_low or may_bind(draft):
        return
    sysctls: list[Raw] = draft.pod_security.setdefault("sysctls", [])
    if not any(_dotted(sysctl["name"]) == _PORT_START for sysctl in sysctls):
        sysctls.append({"name": _PORT_START, "value": "0"})


def _closed(name: str) -> Raw:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {
            "podSelector": {"matchLabels": {WORKLOAD_LABEL: name}},
            "policyTypes": ["Ingress", "Egress"],
        },
    }


def _hostname(value: InputValue, draft: Draft) -> None:
    text = str(value.value).strip()
    first = text.partition(".")[0]
    hostname = first if is_label(first) else label(first)
    draft.pod["hostname"] = hostname
    if hostname != text:
        draft.leave(value, f"a Pod's host name is one DNS label: it is {hostname}")


def alias(value: InputValue, draft: Draft) -> None:
    """Give a Workload a Service of another name, or name why that is impossible."""
    name = str(value.value).strip()
    if name == draft.name or name in draft.aliases:
        return
    if not is_service_name(name):
        draft.leave(
            value,
            f"no Service can be called {name[:63]!r}: have others ask for {draft.name}, the Workload's own "
            "Service",
        )
        return
    draft.aliases.append(name)


def _hosts(hosts: list[InputValue], draft: Draft) -> None:
    aliases: dict[str, list[str]] = {}
    for one in hosts:
        text = str(one.value).strip()
        name, separator, address = text.partition("=") if "=" in text else text.partition(":")
        address = address.strip("[]")
        if not separator or not name:
            raise CannotConvert(f"{one.path}: {text[:80]!r} is no host: write one such as db:10.0.0.5")
        if address == "host-gateway":
            draft.leave(one, "a Pod has no way to its node by name: use the address of what is to be reached")
        elif not is_subdomain(name):
            draft.leave(one, "Kubernetes takes lower-case letters, digits, '-' and '.' as a host's name")
        elif not is_address(address):
            raise CannotConvert(f"{one.path}: {address[:60]!r} is no IP address: correct it")
        else:
            names = aliases.setdefault(str(ip_address(address)), [])
            if name not in names:
                names.append(name)
    if aliases:
        draft.pod["hostAliases"] = [{"ip": address, "hostnames": names} for address, names in aliases.items()]


def _dns(options: GivenOptions, draft: Draft) -> None:
    config: Raw = {}
    has_cluster_dns = options.is_true("cluster-dns")
    servers, domains = options.take("dns"), options.take("dns-search")
    if nameservers := _addresses(servers, draft):
        config["nameservers"] = nameservers
    searches = [str(domain.value).strip().rstrip(".") for domain in domains]
    for domain, name in zip(domains, searches, strict=True):
        if not is_subdomain(name):
            draft.leave(domain, "Kubernetes doesn't allow this domain: correct it")
    if listed := [name for name in dict.fromkeys(searches) if is_subdomain(name)]:
        config["searches"] = listed[:_MOST_DOMAINS]
        for domain in domains[_MOST_DOMAINS:]:
            draft.leave(domain, f"a Pod has {_MOST_DOMAINS} search domains at most")
    if dns_options := [_dns_option(option) for option in options.take("dns-option")]:
        config["options"] = dns_options
    if not config:
        return
    draft.pod["dnsConfig"] = config
    if "nameservers" not in config:
        return
    if has_cluster_dns:
        draft.leave(
            servers[0],
            "the cluster's DNS comes first, since other services are found by it: the name servers are "
            "asked after it only",
        )
    else:
        draft.pod["dnsPolicy"] = "None"


def _addresses(servers: list[InputValue], draft: Draft) -> list[str]:
    addresses: list[str] = []
    for server in servers:
        address = str(server.value).strip()
        if not is_address(address):
            raise CannotConvert(f"{server.path}: {address[:60]!r} is no IP address: correct it")
        if len(addresses) == _MOST_SERVERS:
            draft.leave(server, f"a Pod has {_MOST_SERVERS} name servers at most")
        elif address not in addresses:
            addresses.append(address)
    return addresses


def _dns_option(option: InputValue) -> Raw:
    name, colon, value = str(option.value).strip().partition(":")
    if not name:
        raise CannotConvert(f"{option.path}: it is empty: write an option such as ndots:2")
    return {"name": name, **({"value": value} if colon else {})}


def _sysctls(sysctls: list[InputValue], draft: Draft) -> None:
    values: dict[str, str] = {}
    for sysctl in sysctls:
        name, separator, value = str(sysctl.value).strip().partition("=")
        if not separator or len(name) > _LONGEST_SYSCTL or not _SYSCTL.fullmatch(name):
            raise CannotConvert(
                f"{sysctl.path}: {name[:80]!r} is no sysctl: write one such as net.core.somaxconn=1024"
            )
        if draft.has_host_network and name.startswith("net."):
            draft.leave(sysctl, "with the host's network it would be the node's: set it there")
            continue
        values[name] = value
        if _dotted(name) not in _SAFE:
            draft.leave(
                sysctl, "a node refuses the Pod unless its kubelet has the sysctl in --allowed-unsafe-sysctls"
            )
    if values:
        draft.pod_security["sysctls"] = [{"name": name, "value": value} for name, value in values.items()]


def _dotted(sysctl: str) -> str:
    """A sysctl's name with dots. In a name with slashes, dots are a part of words (sysctl.d(5);
    k8s.io/component-helpers/node/util/sysctl, NormalizeName, does the same).
    """
    first = next((char for char in sysctl if char in "./"), ".")
    return sysctl if first == "." else sysctl.translate(str.maketrans("./", "/."))
