"""What the verbs that change a Workload, or wait for one, decide and say. Pure: the shell of it is in cli."""
