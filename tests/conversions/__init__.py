"""What `twinhull convert` is tried with, and what it makes of all that."""
