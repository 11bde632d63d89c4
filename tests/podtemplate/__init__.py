"""Pod templates that tests read: everything.yaml, samples of other files, and other ways to write them."""
