"""Twinhull: one Workload, run as a Pod, a sandboxed Pod or a KubeVirt virtual machine."""

__version__ = "0.1.0"
