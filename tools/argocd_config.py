"""Argo CD's ConfigMap argocd-cm with our health checks, made from deploy/argocd/resource_customizations."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

_CHECKS = Path(__file__).parents[1] / "deploy/argocd/resource_customizations"
_HEAD = """\
# Made by `make generate` from resource_customizations/; changes belong there.
#
# What Argo CD has to know of Twinhull's kinds, to be merged into its own ConfigMap:
#
#   kubectl patch configmap argocd-cm -n argocd --patch-file deploy/argocd/argocd-cm.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
  namespace: argocd
  labels: {app.kubernetes.io/part-of: argocd}
data:
"""


def config_map() -> str:
    """The text of deploy/argocd/argocd-cm.yaml."""
    entries = [
        f"  resource.customizations.health.{path.parts[-3]}_{path.parts[-2]}: |\n"
        + indent(path.read_text(encoding="utf-8"), "    ")
        for path in sorted(_CHECKS.glob("*/*/health.lua"))
    ]
    return _HEAD + "".join(entries)
