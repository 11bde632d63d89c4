"""A small Linux on a disk of its own, made here, and exported as VMware and Hyper-V export theirs."""
