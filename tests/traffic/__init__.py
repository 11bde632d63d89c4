"""Traffic: real requests to a Service's endpoints, as a real control plane publishes them.

Nodes are simulated, so nothing serves at a Pod's address. A server on loopback stands for each Pod that runs,
and ends with it; a proxy follows the EndpointSlices as kube-proxy does; a client asks and asks, and counts.
"""

from tests.traffic.traffic import Traffic

__all__ = ["Traffic"]
