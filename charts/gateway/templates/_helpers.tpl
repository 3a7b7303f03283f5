{{- define "gateway.fullname" -}}
{{- .Values.fullnameOverride | default "modelfleet-gateway" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "gateway.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "gateway.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "gateway.selectorLabels" -}}
app.kubernetes.io/name: modelfleet-gateway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gateway.labels" -}}
{{ include "gateway.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: modelfleet
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "gateway.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "gateway.serviceAccountName" . }}
    namespace: {{ .Release.Namespace }}
{{- end -}}

{{- define "gateway.regional" -}}
{{- if eq .Values.gateway.scope "regional" }}true{{ end -}}
{{- end -}}

{{/* A hub's cluster that is a member too has a global and a regional gateway. */}}
{{- define "gateway.clusterRole" -}}
{{- include "gateway.fullname" . }}{{ if include "gateway.regional" . }}-regional{{ end }}
{{- end -}}

{{- define "gateway.tlsSecret" -}}
{{- $ours := ternary (printf "%s-certificate" (include "gateway.fullname" .)) "modelfleet-gateway-tls" (eq .Values.tls.source "certManager") -}}
{{- .Values.tls.secretName | default $ours -}}
{{- end -}}

{{- define "gateway.port" -}}
{{- .Values.service.port | default (ternary 443 80 .Values.tls.enabled) -}}
{{- end -}}

{{- define "gateway.portName" -}}
{{- ternary "https" "http" .Values.tls.enabled -}}
{{- end -}}
