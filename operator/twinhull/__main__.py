"""`python -m twinhull` is the `twinhull` command."""

from twinhull.cli import main

main()
