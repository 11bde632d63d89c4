"""`kubectl twinhull`, by kubectl itself: the plugin, and what completes its words and names of a cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.controlplane import PATIENCE, Cluster
from tests.e2e.test_workload_api import MINIMAL, merged


def kubectl(cluster: Cluster, *args: str) -> str:
    """What a person's kubectl prints, on whose PATH this twinhull is."""
    path = f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        [str(cluster.kubectl.program), *args],
        env={**os.environ, "PATH": path, "KUBECONFIG": str(cluster.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return done.stdout


def offered(cluster: Cluster, *words: str) -> list[str]:
    """The words that kubectl gives to a shell in place of the last one, without what describes them."""
    *lines, directive = kubectl(cluster, "__complete", "twinhull", *words).splitlines()
    assert directive.startswith(":")
    return [line.partition("\t")[0] for line in lines]


def test_kubectl_finds_the_plugin(cluster: Cluster) -> None:
    assert kubectl(cluster, "twinhull", "--help").startswith("Usage: kubectl twinhull [OPTIONS] COMMAND")
    assert kubectl(cluster, "twinhull", "flip", "--help").startswith("Usage: kubectl twinhull flip ")


def test_kubectl_completes_its_words(cluster: Cluster) -> None:
    assert offered(cluster, "fli") == ["flip"]
    assert offered(cluster, "flip", "--to", "mach") == ["machine"]


def test_kubectl_completes_names_of_the_cluster(cluster: Cluster, namespace: str) -> None:
    cluster.kubectl.apply(merged(MINIMAL, {"metadata": {"name": "web", "namespace": namespace}}))

    def names_are_offered() -> bool:
        """An answer that takes longer than a person waits for is none: it is asked for again."""
        assert offered(cluster, "flip", "-n", namespace, "w") == ["web"]
        assert namespace in offered(cluster, "status", "-n", namespace)
        return True

    cluster.eventually(names_are_offered, PATIENCE, "names are offered")
