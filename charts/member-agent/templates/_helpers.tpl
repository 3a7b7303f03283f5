{{- define "member-agent.fullname" -}}
{{- .Values.fullnameOverride | default "modelfleet-member-agent" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "member-agent.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "member-agent.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "member-agent.selectorLabels" -}}
app.kubernetes.io/name: modelfleet-member-agent
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "member-agent.labels" -}}
{{ include "member-agent.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: modelfleet
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "member-agent.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "member-agent.serviceAccountName" . }}
    namespace: {{ .Release.Namespace }}
{{- end -}}
