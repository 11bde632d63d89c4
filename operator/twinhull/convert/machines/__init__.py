"""Converts machines of other hypervisors into Workloads that boot a disk: one file for each format.

A format's file has `recognises(text)`, and `convert(text, options)`, which gives a Conversion. It reads the
text as a tree of Nodes (`tree`). Nodes that were never read are named as left in the end.
"""
