"""`make bench`: how fast the operator is, next to others' controllers and to a bare loop.

Never part of `make test`: it takes minutes, and its numbers mean something only next to each other.
"""
