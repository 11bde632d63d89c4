"""What GitOps tools make of the operator's objects, by the tools' own code, in each state of a life."""
