"""Pages that are made from the code, the API and the chart."""
