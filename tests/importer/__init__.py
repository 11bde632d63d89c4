"""CDI's importer, run as a kubelet runs it in its image: what it makes of a disk that a server has."""
