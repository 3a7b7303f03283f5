{{/* Puts a policy in force everywhere; its argument is a dict of `root` and `name`. */}}
{{- define "hub.policyBinding" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ include "hub.fullname" .root }}-{{ .name }}
  labels: {{- include "hub.labels" .root | nindent 4 }}
spec:
  policyName: {{ include "hub.fullname" .root }}-{{ .name }}
  validationActions: [Deny]
{{- end -}}

{{/* One of the CEL expressions below in a single line: (list "joined" "variables.faults"). */}}
{{- define "hub.cel" -}}
{{- include (printf "hub.cel.%s" (first .)) (last .) | replace "\n" " " -}}
{{- end -}}

{{/* CEL: several faults in brackets, one without, as Go joins errors. */}}
{{- define "hub.cel.joined" -}}
({{ . }}.size() == 1 ? {{ . }}[0] : "[" + {{ . }}.join(", ") + "]")
{{- end -}}

{{/* CEL: a list without what it has twice. */}}
{{- define "hub.cel.distinct" -}}
{{ . }}.transformList(i, item, {{ . }}.indexOf(item) == i, item)
{{- end -}}

{{/* CEL: what a name does not keep of Kubernetes' rules; `hub.cel.wrongValue` of a label's value. */}}
{{- define "hub.cel.wrongName" -}}
format.qualifiedName().validate({{ . }}).orValue([])
{{- end -}}
{{- define "hub.cel.wrongValue" -}}
format.labelValue().validate({{ . }}).orValue([])
{{- end -}}

{{/* CEL: a label selector as Go prints it; "" and null are none. */}}
{{- define "hub.cel.printedSelector" -}}
"&LabelSelector{MatchLabels:map[string]string{"
+ {{ . }}.?matchLabels.orValue({}).map(k, k + ": " + {{ . }}.matchLabels[k] + ",").join("")
+ "},MatchExpressions:[]LabelSelectorRequirement{"
+ {{ . }}.?matchExpressions.orValue([]).map(r, "LabelSelectorRequirement{Key:" + r.key
+ ",Operator:" + r.operator + ",Values:[" + r.?values.orValue([]).join(" ") + "],},").join("")
+ "},}"
{{- end -}}

{{/* CEL: the faults of a label selector, in the words of Kubernetes' own parser. */}}
{{- define "hub.cel.selectorFaults" -}}
(
{{ . }}.?matchLabels.orValue({}).filter(k, {{ include "hub.cel" (list "wrongName" "k") }} != [])
.map(k, "key: Invalid value: \"" + k + "\": " + {{ include "hub.cel" (list "wrongName" "k") }}.join("; "))
+ {{ . }}.?matchLabels.orValue({})
.filter(k, {{ include "hub.cel" (list "wrongValue" (printf "%s.matchLabels[k]" .)) }} != [])
.map(k, "values[0][" + k + "]: Invalid value: \"" + {{ . }}.matchLabels[k] + "\": "
+ {{ include "hub.cel" (list "wrongValue" (printf "%s.matchLabels[k]" .)) }}.join("; "))
+ {{ . }}.?matchExpressions.orValue([]).map(r,
!(r.operator in ["In", "NotIn", "Exists", "DoesNotExist"])
? "\"" + r.operator + "\" is not a valid label selector operator"
: {{ include "hub.cel" (list "wrongName" "r.key") }} != []
? "key: Invalid value: \"" + r.key + "\": " + {{ include "hub.cel" (list "wrongName" "r.key") }}.join("; ")
: r.operator in ["In", "NotIn"] && r.?values.orValue([]).size() == 0
? "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty"
: !(r.operator in ["In", "NotIn"]) && r.?values.orValue([]).size() > 0
? "values: Invalid value: [\"" + r.values.join("\",\"")
+ "\"]: values set must be empty for exists and does not exist"
: r.?values.orValue([]).exists(v, {{ include "hub.cel" (list "wrongValue" "v") }} != [])
? r.values.filter(v, {{ include "hub.cel" (list "wrongValue" "v") }} != [])
.map(v, "values[" + string(r.values.indexOf(v)) + "][" + r.key + "]: Invalid value: \"" + v + "\": "
+ {{ include "hub.cel" (list "wrongValue" "v") }}.join("; "))[0]
: "").filter(fault, fault != "")
)
{{- end -}}
