"""CDI itself: the operator's disks through its admission, its controller and its importer."""
