{{- /* The beginning of a name: (list name length). It ends as names of objects and values of labels must. */ -}}
{{- define "twinhull.cut" -}}
{{- regexReplaceAll "[-.]+$" (trunc (index . 1) (index . 0)) "" -}}
{{- end -}}

{{- define "twinhull.name" -}}
{{- include "twinhull.cut" (list (default .Chart.Name .Values.nameOverride) 63) -}}
{{- end -}}

{{- define "twinhull.fullname" -}}
{{- $name := include "twinhull.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- include "twinhull.cut" (list .Values.fullnameOverride 63) -}}
{{- else if contains $name .Release.Name -}}
{{- include "twinhull.cut" (list .Release.Name 63) -}}
{{- else -}}
{{- include "twinhull.cut" (list (printf "%s-%s" .Release.Name $name) 63) -}}
{{- end -}}
{{- end -}}

{{- /* A Service's name has 63 characters at most, no dot, and begins with a letter (RFC 1035). */ -}}
{{- define "twinhull.metricsService" -}}
{{- $name := include "twinhull.fullname" . | replace "." "-" -}}
{{- if not (regexMatch "^[a-z]" $name) -}}
{{- $name = printf "twinhull-%s" $name -}}
{{- end -}}
{{- printf "%s-metrics" (include "twinhull.cut" (list $name 55)) -}}
{{- end -}}

{{- define "twinhull.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "twinhull.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "twinhull.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- /* Values that earlier charts lack. `helm upgrade --reuse-values` takes the earlier chart's defaults in place of this one's,
       so that these have their defaults here as well. A test renders the chart with the values of an earlier one. */ -}}
{{- define "twinhull.disks" -}}
{{- ternary "true" "" (dig "disks" "enabled" true .Values.AsMap) -}}
{{- end -}}

{{- define "twinhull.guestAccess" -}}
{{- ternary "true" "" (dig "guestAccess" "enabled" true .Values.AsMap) -}}
{{- end -}}

{{- define "twinhull.ownObjectsOnly" -}}
{{- dig "rbac" "ownObjectsOnly" "Auto" .Values.AsMap -}}
{{- end -}}

{{- define "twinhull.closedNamespaces" -}}
{{- dig "rbac" "closedNamespaces" (list "kube-system" "kube-public" "kube-node-lease") .Values.AsMap | toJson -}}
{{- end -}}

{{- define "twinhull.guestSecret" -}}
{{- default (printf "%s-guest-key" (include "twinhull.fullname" .)) .Values.guest.existingSecret -}}
{{- end -}}

{{- define "twinhull.selector" -}}
app.kubernetes.io/name: {{ include "twinhull.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: operator
{{- end -}}

{{- /* The operator's files as annotations: its configuration (docs/configuration.md), and the file with the registries. */ -}}
{{- define "twinhull.config" -}}
twinhull.dev/config.yaml: |
  healthAddress: :8081
  metricsAddress: :{{ .Values.monitoring.port }}
  leaderElect: true
  leaseName: {{ include "twinhull.fullname" . | quote }}
  leaseSeconds: {{ .Values.lease.seconds }}
  logFormat: {{ .Values.log.format }}
  verbose: {{ .Values.log.verbose }}
  defaultIsolation: {{ .Values.defaultIsolation }}
  workers: {{ .Values.workers }}
  firstReport: {{ .Values.firstReportSeconds }}
  {{- with .Values.sandbox.runtimeClassName }}
  sandboxRuntimeClass: {{ quote . }}
  {{- end }}
  {{- with .Values.watchNamespaces }}
  namespaces: {{ toJson . }}
  {{- end }}
  {{- if .Values.kubevirt.enabled }}
  guestKeyFile: /etc/twinhull/guest/key
  guestRegistries: /etc/twinhull/config/registries.yaml
  {{- with .Values.guest.image }}
  guestImage: {{ quote . }}
  {{- end }}
  {{- with .Values.guest.imagePullSecret }}
  guestImagePullSecret: {{ quote . }}
  {{- end }}
  {{- else }}
  withoutKubevirt: true
  {{- end }}
  {{- if not (include "twinhull.disks" .) }}
  withoutDisks: true
  {{- end }}
  {{- if not (include "twinhull.guestAccess" .) }}
  withoutGuestAccess: true
  {{- end }}
{{- if .Values.kubevirt.enabled }}
twinhull.dev/registries.yaml: |
  {{- toYaml .Values.guest.registries | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "twinhull.labels" -}}
helm.sh/chart: {{ include "twinhull.cut" (list (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") 63) | quote }}
app.kubernetes.io/name: {{ include "twinhull.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: twinhull
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* metadata: (list . name annotations labels); labels and annotations are maps. */ -}}
{{- define "twinhull.metadata" -}}
{{- $root := index . 0 -}}
{{- $annotations := merge (dict) (index . 2) $root.Values.commonAnnotations -}}
{{- $labels := merge (dict) (index . 3) (include "twinhull.labels" $root | fromYaml) -}}
name: {{ index . 1 | quote }}
labels:
  {{- toYaml $labels | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "twinhull.namespaced" -}}
{{ include "twinhull.metadata" . }}
namespace: {{ (index . 0).Release.Namespace | quote }}
{{- end -}}

{{- /* The documents of a file: (list . path annotations), each with the chart's labels. */ -}}
{{- define "twinhull.documents" -}}
{{- $root := index . 0 -}}
{{- $extra := index . 2 -}}
{{- range splitList "\n---\n" ($root.Files.Get (index . 1)) }}
{{- $object := fromYaml . }}
{{- $metadata := include "twinhull.metadata" (list $root $object.metadata.name $extra dict) | fromYaml }}
---
{{ set $object "metadata" $metadata | toYaml }}
{{ end }}
{{- end -}}
