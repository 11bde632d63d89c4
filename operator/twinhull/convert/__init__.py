"""Conversions of Deployments, Compose files, VMware machines and the like into Workloads."""
