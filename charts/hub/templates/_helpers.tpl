{{- define "hub.fullname" -}}
{{- .Values.fullnameOverride | default "modelfleet-hub" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "hub.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "hub.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "hub.selectorLabels" -}}
app.kubernetes.io/name: modelfleet-hub
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "hub.labels" -}}
{{ include "hub.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: modelfleet
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "hub.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "hub.serviceAccountName" . }}
    namespace: {{ .Release.Namespace }}
{{- end -}}

{{- define "hub.webhookHost" -}}
{{- with .Values.webhook.url -}}
{{- regexReplaceAll ":[0-9]+$" (trimPrefix "https://" .) "" -}}
{{- else -}}
{{- printf "%s-webhook.%s.svc" (include "hub.fullname" .) .Release.Namespace -}}
{{- end -}}
{{- end -}}
