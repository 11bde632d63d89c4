"""The Helm chart as users get it: what it renders, its page, and the manifests in deploy/ made from it."""
