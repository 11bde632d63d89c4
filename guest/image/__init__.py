"""Makes the disk image, kernel and initrd that a Workload's machine boots. `python -m guest.image --help`."""
