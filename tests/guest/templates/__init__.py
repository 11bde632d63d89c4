"""Parts of templates that the cases and the comparison of both hulls have in common."""
