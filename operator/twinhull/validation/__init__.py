"""Finds what is wrong with manifests, without a cluster: by the CRDs' schemas and CEL rules, and parity."""
