{{- /* Each of these has the rules of one role. A test fails for each rule that the operator never uses. */ -}}
{{- define "twinhull.rules.workloads" -}}
- apiGroups: [twinhull.dev]
  resources: [workloads]
  verbs: [list, watch]
- apiGroups: [twinhull.dev]
  resources: [workloads/status]
  verbs: [patch]
{{- if .Values.rbac.ownerReferencesPermissionEnforcement }}
- apiGroups: [twinhull.dev]
  resources: [workloads/finalizers]
  verbs: [update]
{{- end }}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end -}}

{{- define "twinhull.rules.pods" -}}
- apiGroups: [""]
  resources: [pods, services]
  verbs: [list, watch, get, create, patch, delete]
- apiGroups: [""]
  resources: [pods/resize]
  verbs: [patch]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [list, watch]
{{- end -}}

{{- define "twinhull.rules.machines" -}}
- apiGroups: [""]
  resources: [configmaps]
  verbs: [list, watch, get, create, patch, delete]
{{- /* The operator tries out a machine's Pod as a PodTemplate, by a dry run. It never makes one. */}}
- apiGroups: [""]
  resources: [podtemplates]
  verbs: [create]
{{- /* KubeVirt sets limits on launcher Pods if a quota requires limits, so the operator reads quotas. */}}
- apiGroups: [""]
  resources: [resourcequotas]
  verbs: [list]
{{- /* A machine's ephemeral claims, as Kubernetes makes those of a Pod, and the note on a claim that is a machine's disk. */}}
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [create, patch]
- apiGroups: [kubevirt.io]
  resources: [virtualmachines]
  verbs: [list, watch, get, create, patch, delete]
- apiGroups: [kubevirt.io]
  resources: [virtualmachineinstances]
  verbs: [list, watch]
- apiGroups: [instancetype.kubevirt.io]
  resources: [virtualmachineinstancetypes, virtualmachinepreferences]
  verbs: [list, watch]
{{- if include "twinhull.guestAccess" . }}
- apiGroups: [twinhull.dev]
  resources: [accessrequests]
  verbs: [list, watch, delete]
- apiGroups: [twinhull.dev]
  resources: [accessrequests/status]
  verbs: [patch]
{{- end }}
{{- if include "twinhull.disks" . }}
{{- /* The disks of machines that boot one of their own. */}}
- apiGroups: [cdi.kubevirt.io]
  resources: [datavolumes]
  verbs: [list, watch, get, create, patch, delete]
{{- /* A disk that is a clone: what its DataSource leads to. */}}
- apiGroups: [cdi.kubevirt.io]
  resources: [datasources]
  verbs: [get]
{{- end }}
{{- end -}}

{{- define "twinhull.rules.cluster" -}}
- apiGroups: [""]
  resources: [namespaces]
  verbs: [list, watch]
- apiGroups: [node.k8s.io]
  resources: [runtimeclasses]
  verbs: [list, watch]
- apiGroups: [storage.k8s.io]
  resources: [storageclasses]
  verbs: [list, watch]
- apiGroups: [twinhull.dev]
  resources: [isolationpolicies]
  verbs: [list, watch]
- apiGroups: [twinhull.dev]
  resources: [isolationpolicies/status]
  verbs: [patch]
{{- if .Values.kubevirt.enabled }}
- apiGroups: [""]
  resources: [nodes]
  verbs: [list, watch]
- apiGroups: [kubevirt.io]
  resources: [kubevirts]
  verbs: [list, watch]
- apiGroups: [instancetype.kubevirt.io]
  resources: [virtualmachineclusterinstancetypes, virtualmachineclusterpreferences]
  verbs: [list, watch]
{{- if include "twinhull.disks" . }}
- apiGroups: [cdi.kubevirt.io]
  resources: [cdis]
  verbs: [list, watch]
{{- /* A disk that is a clone: whether the namespace of its source lets the operator clone it. Everybody may ask that, by
         Kubernetes' own ClusterRole system:basic-user, unless a cluster has it changed. */}}
- apiGroups: [authorization.k8s.io]
  resources: [selfsubjectaccessreviews]
  verbs: [create]
{{- end }}
{{- end }}
{{- end -}}

{{- define "twinhull.rules.lease" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "twinhull.fullname" . | quote }}]
  verbs: [get, patch]
{{- end -}}

{{- /* A role and its binding: (list . kind name namespace rules). */ -}}
{{- define "twinhull.role" -}}
{{- $root := index . 0 -}}
{{- $kind := index . 1 -}}
{{- $metadata := include "twinhull.metadata" (list $root (index . 2) dict dict) -}}
{{- $namespace := index . 3 -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  {{- $metadata | nindent 2 }}
  {{- with $namespace }}
  namespace: {{ quote . }}
  {{- end }}
rules:
  {{- index . 4 | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  {{- $metadata | nindent 2 }}
  {{- with $namespace }}
  namespace: {{ quote . }}
  {{- end }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: {{ $kind }}, name: {{ index . 2 | quote }}}
subjects:
- {kind: ServiceAccount, name: {{ include "twinhull.serviceAccount" $root | quote }}, namespace: {{ $root.Release.Namespace | quote }}}
{{- end -}}
