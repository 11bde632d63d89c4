"""Decisions, pure: what is observed in, what to do out."""
