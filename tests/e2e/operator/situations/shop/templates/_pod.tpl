{{- /* Keys are printed whether anything is behind them or not: with `toYaml` they are null, with `with` there is nothing. */}}
{{- define "shop.pod" -}}
metadata:
  annotations:
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  labels:
    app: shop
spec:
  imagePullSecrets:
    {{- toYaml .Values.imagePullSecrets | nindent 4 }}
  nodeSelector:
    {{- with .Values.nodeSelector }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  tolerations:
    {{- with .Values.tolerations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  affinity:
    {{- toYaml .Values.affinity | nindent 4 }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with .Values.pod }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  containers:
    - name: web
      image: {{ .Values.image | quote }}
      command:
      env:
        - name: EMPTY
          value:
      livenessProbe:
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      ports:
        - name: http
          containerPort: 80
      volumeMounts:
        - name: scratch
          mountPath: /scratch
      {{- with .Values.container }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
  volumes:
    - name: scratch
      emptyDir:
        sizeLimit: 1Gi
        medium:
{{- end }}
