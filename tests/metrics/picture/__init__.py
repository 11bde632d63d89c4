"""The dashboard's picture (`make picture`): a real run, a real Prometheus, and Grafana's own components."""
