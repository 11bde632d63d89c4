"""The process: kopf runs it, logs in and writes the log. Only this folder uses kopf.

An upgrade of kopf touches these files and no others. The uses of kopf's private modules are in `private`.
kopf has no handlers here, writes no Events and keeps nothing in annotations (docs/adr/0001).
"""
