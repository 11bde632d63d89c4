"""Makes podtemplate.json, the structural schema of a PodTemplateSpec, from Kubernetes' own source."""
