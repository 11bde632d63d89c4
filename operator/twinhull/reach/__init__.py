"""The way to a Workload's containers for people: what runs in a Pod, and what runs in a machine, the same."""
