"""The process: kopf runs it, logs in and writes the log. All that uses kopf is in this folder.

An upgrade of kopf touches these files and no others. What it takes of kopf's private modules is in `private`.
kopf has no handlers here, writes no Events and keeps nothing in annotations (docs/adr/0001).
"""
