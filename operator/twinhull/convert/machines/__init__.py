"""Machines of other hypervisors into Workloads that boot a disk: one file for each format.

A format's file has `recognises(text)`, and `convert(text, options)`, which gives a Conversion. What it
reads is a tree of Nodes (`tree`). A part that nothing has read in the end is named as left.
"""
