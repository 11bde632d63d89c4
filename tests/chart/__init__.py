"""The Helm chart as users get it: Helm, what it installs, and the rights that it gives."""
