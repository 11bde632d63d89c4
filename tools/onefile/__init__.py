"""`make cli`: the twinhull command in one file, for machines without pip (docs/cli.md)."""
