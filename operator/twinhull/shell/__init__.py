"""The process around the pure core: watches, queue, requests, probes."""
