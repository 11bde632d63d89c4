"""What is wrong with manifests, told without a cluster: by the CRDs' schemas and CEL rules, and by parity."""
