"""What makes and checks files of this repository: `make generate`, `make docs` and `make audit`."""
