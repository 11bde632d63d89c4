// Package agent runs the Pod.
package agent

// Run never returns but with an error.
func Run(version string) error { select {} }
