"""What asks Prometheus: the dashboard and the alerts."""
