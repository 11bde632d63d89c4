"""What `docker run` and Compose have in common: a container as Docker describes it, as a Workload.

`options` is the table of all that Docker can be told of a container. `workload` makes a Workload of it.
"""
