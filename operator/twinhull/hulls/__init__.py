"""Hulls, in which Workloads run: rendering a hull's objects from a Workload, and reading them back. Pure."""
