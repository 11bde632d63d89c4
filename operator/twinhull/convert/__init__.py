"""Conversions of what others run, such as Deployments, Compose files and VMware machines, into Workloads."""
