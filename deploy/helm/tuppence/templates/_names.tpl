{{- define "tuppence.name" -}}
{{- if contains "tuppence" .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{ else }}{{ printf "%s-tuppence" .Release.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "tuppence.selector" -}}
app.kubernetes.io/name: tuppence
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tuppence.labels" -}}
{{ include "tuppence.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
