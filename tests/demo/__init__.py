"""`make demo`: the operator at work on a real control plane, each step shown and checked."""
