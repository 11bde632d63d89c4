"""What a Workload runs in: rendered from it, and read back. Pure."""
