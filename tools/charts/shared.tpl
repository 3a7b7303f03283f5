{{- /* What the charts of all programs have in common. */ -}}

{{- define "modelfleet.fullname" -}}
{{- include (printf "%s.fullname" .Chart.Name) . -}}
{{- end -}}

{{- define "modelfleet.labels" -}}
{{- include (printf "%s.labels" .Chart.Name) . -}}
{{- end -}}

{{- define "modelfleet.selectorLabels" -}}
{{- include (printf "%s.selectorLabels" .Chart.Name) . -}}
{{- end -}}

{{- define "modelfleet.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Settings of the program as environment: `workers: 4` is HUB_WORKERS for the prefix HUB. */ -}}
{{- define "modelfleet.settings" -}}
{{- $prefix := .prefix -}}
{{- range $name, $value := .settings }}
{{- if ne (toString $value) "" }}
- name: {{ $prefix }}_{{ $name | snakecase | upper }}
  value: {{ ternary $value (toJson $value) (kindIs "string" $value) | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "modelfleet.podMetadata" -}}
labels:
  {{- include "modelfleet.labels" . | nindent 2 }}
  {{- with .Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.podAnnotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* What a pod's spec says besides its containers and volumes. */ -}}
{{- define "modelfleet.podSpec" -}}
serviceAccountName: {{ include (printf "%s.serviceAccountName" .Chart.Name) . }}
enableServiceLinks: false
securityContext: {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.topologySpread }}
topologySpreadConstraints:
  {{- range . }}
  - topologyKey: {{ .topologyKey }}
    maxSkew: {{ .maxSkew }}
    whenUnsatisfiable: {{ .whenUnsatisfiable }}
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "modelfleet.selectorLabels" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- /* What every container says of its image and its rights. */ -}}
{{- define "modelfleet.container" -}}
image: {{ include "modelfleet.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- toYaml .Values.securityContext | nindent 2 }}
{{- end -}}

{{- /* Probes of a port that serves /healthz and /readyz. */ -}}
{{- define "modelfleet.probes" -}}
{{- $get := dict "port" .port "scheme" .scheme -}}
{{- $alive := merge (dict "path" "/healthz") $get -}}
{{- /* A minute and a half, for a start before the CRDs are there. */ -}}
startupProbe:
  httpGet: {{- toYaml $alive | nindent 4 }}
  periodSeconds: 2
  failureThreshold: 45
livenessProbe:
  httpGet: {{- toYaml $alive | nindent 4 }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {{- toYaml (merge (dict "path" "/readyz") $get) | nindent 4 }}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- end -}}

{{- define "modelfleet.podDisruptionBudget" -}}
{{- if and .Values.podDisruptionBudget.enabled (gt (int .Values.replicas) 1) }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "modelfleet.fullname" . }}
  namespace: {{ .Release.Namespace }}
  labels: {{- include "modelfleet.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .Values.podDisruptionBudget.maxUnavailable }}
  # One that is not ready keeps nobody else in his place.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "modelfleet.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end -}}

{{- /* `port` is what clients may call, and `metrics` another for who reads the metrics. */ -}}
{{- define "modelfleet.networkPolicy" -}}
{{- $c := .context -}}
{{- with $c.Values.networkPolicy }}
{{- if .enabled }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "modelfleet.fullname" $c }}
  namespace: {{ $c.Release.Namespace }}
  labels: {{- include "modelfleet.labels" $c | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "modelfleet.selectorLabels" $c | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - {port: {{ $.port }}, protocol: TCP}
      {{- with .from }}
      from: {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- with $.metrics }}
    - ports:
        - {port: {{ . }}, protocol: TCP}
      {{- with $c.Values.networkPolicy.metricsFrom }}
      from: {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- end }}
  egress:
    - ports:
        - {port: 53, protocol: UDP}
        - {port: 53, protocol: TCP}
    - ports:
        {{- range .egressPorts }}
        - {port: {{ . }}, protocol: TCP}
        {{- end }}
    {{- with .egress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "modelfleet.serviceMonitor" -}}
{{- $c := . -}}
{{- with $c.Values.metrics.serviceMonitor }}
{{- if .enabled }}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ include "modelfleet.fullname" $c }}
  namespace: {{ $c.Release.Namespace }}
  labels:
    {{- include "modelfleet.labels" $c | nindent 4 }}
    {{- with .labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels: {{- include "modelfleet.selectorLabels" $c | nindent 6 }}
  endpoints:
    - port: health
      path: /metrics
      interval: {{ .interval }}
      # The namespace of a workload is the workload's, not that of the pod that tells of it.
      honorLabels: true
{{- end }}
{{- end }}
{{- end -}}

{{- /* `rules` is the YAML of alerts. */ -}}
{{- define "modelfleet.prometheusRule" -}}
{{- $c := .context -}}
{{- with $c.Values.metrics.prometheusRules }}
{{- if .enabled }}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ include "modelfleet.fullname" $c }}
  namespace: {{ $c.Release.Namespace }}
  labels:
    {{- include "modelfleet.labels" $c | nindent 4 }}
    {{- with .labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  groups:
    - name: {{ include "modelfleet.fullname" $c }}
      rules:
        {{- range $rule := fromYamlArray $.rules }}
        - alert: {{ .alert }}
          expr: {{ .expr | quote }}
          for: {{ .for }}
          labels:
            severity: {{ .severity }}
          annotations:
            summary: {{ .summary | quote }}
            description: {{ .description | quote }}
            runbook: {{ .runbook | quote }}
            {{- with $c.Values.metrics.prometheusRules.runbookUrl }}
            runbook_url: {{ printf "%s#%s" . (lower $rule.alert) }}
            {{- end }}
        {{- end }}
{{- end }}
{{- end }}
{{- end -}}
