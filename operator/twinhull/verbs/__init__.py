"""The decisions and messages of the verbs that change or await a Workload. Pure: cli/ does their I/O."""
