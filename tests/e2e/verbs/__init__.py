"""The verbs on a control plane, with the operator, as people and scripts run them."""
