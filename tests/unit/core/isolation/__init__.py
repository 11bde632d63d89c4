"""How isolation is decided."""
