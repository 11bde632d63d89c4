"""Screens and tables about a cluster for people, made from objects. Pure.

`workloadobjects` has the objects that were read, `verdict` the one thing that is wrong, `status` the screen
of one Workload, and `workloads`, `events` and `usage` the tables of the other verbs. `screen` has the type
that all of them give, and its form without a terminal; cli/ prints it.
"""
