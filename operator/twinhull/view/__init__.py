"""What a person is shown of a cluster: screens and tables, worked out from objects. Pure.

`workloadobjects` has what was read, `verdict` the one thing that is wrong, `status` the screen of one
Workload, `workloads`, `events` and `usage` the tables of the other verbs. `screen` is what all of them give,
and how it looks without a terminal; cli/ prints it.
"""
