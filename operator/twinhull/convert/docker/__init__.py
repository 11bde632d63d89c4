"""The common part of `docker run` and Compose: makes a Workload of a container as Docker describes it.

`options` is the table of all options of a container in Docker. `workload` makes a Workload of them.
"""
