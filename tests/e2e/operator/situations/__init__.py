"""Situations that clusters are really in: quotas, evictions, webhooks, nodes that are full."""
