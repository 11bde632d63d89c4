"""Attacks: what people try with a tenant's rights, with less, and with none; all of it is to be held."""
