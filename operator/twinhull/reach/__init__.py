"""A person's way to a Workload's containers and ports: the same for Pods and for machines."""
