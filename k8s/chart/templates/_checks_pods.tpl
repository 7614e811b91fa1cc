{{/*
Rules of optional settings: two values for one setting, names and numbers that the chart or another
service uses, and DB_URL or REDIS_URL whose parts are missing.
*/}}
{{- define "vrooli.podChecks" -}}
{{- $names := dict }}
{{- range $key, $service := .Values.services }}
{{- $_ := set $names (include "vrooli.componentName" (list $ $key)) (printf "services.%s" $key) }}
{{- end }}
{{- include "vrooli.labelChecks" (list "commonLabels" .Values.commonLabels) }}
{{- include "vrooli.workerChecks" . }}
{{- range $key, $service := .Values.services }}
{{- include "vrooli.labelChecks" (list (printf "services.%s.pod.labels" $key) ($service.pod.labels | default dict)) }}
{{- range $name, $source := $service.pod.variables }}
{{- if hasKey $service.extraEnv $name }}
services.{{ $key }}.pod.variables: {{ $name }} is also in extraEnv
{{- end }}
{{- end }}
{{- $isStateful := eq (include "vrooli.workloadKind" (list $ $key)) "StatefulSet" }}
{{- if and $service.workload.strategy $isStateful }}
services.{{ $key }}.workload.strategy: a StatefulSet replaces its pods one by one; remove this setting
{{- end }}
{{- if and $service.workload.ordinals (not $isStateful) }}
services.{{ $key }}.workload.ordinals: requires workload.kind StatefulSet
{{- end }}
{{- with $service.service.alias }}
{{- with get $names . }}
services.{{ $key }}.service.alias: this name is already used by {{ . }}
{{- end }}
{{- $_ := set $names . (printf "services.%s.service.alias" $key) }}
{{- end }}
{{- end }}
{{- with .Values.spotahomeRedis }}
{{- if and $.Values.vso.connectionUrls .enabled (not .masterService) }}
vso.connectionUrls: requires spotahomeRedis.masterService, the host in REDIS_URL
{{- end }}
{{- end }}
{{- end }}

{{/*
Rejects labels of the application that the chart sets itself.
*/}}
{{- define "vrooli.labelChecks" -}}
{{- range $label, $value := last . }}
{{- if or (hasPrefix "app.kubernetes.io/" $label) (hasPrefix "helm.sh/" $label) }}
{{ first $ }}: {{ $label }} is set by the chart
{{- end }}
{{- end }}
{{- end }}

{{/*
Rejects numbers of workers that two pods would have: Vrooli's pods make the same ids then. The number
is WORKER_ID; from the label apps.kubernetes.io/pod-index, it is the ordinal of the pod.
*/}}
{{- define "vrooli.workerChecks" -}}
{{- if hasKey .Values.config.extra "WORKER_ID" }}
config.extra.WORKER_ID: would be the number of all pods; use extraEnv or pod.variables of a service
{{- end }}
{{- $ranges := dict }}
{{- range $key, $service := .Values.services }}
{{- $workers := include "vrooli.workerNumbers" (list $ $key) | fromYaml }}
{{- with $workers.problem }}
services.{{ $key }}.{{ $workers.setting }}.WORKER_ID: {{ . }}
{{- end }}
{{- if hasKey $workers "first" }}
{{- range $other, $range := $ranges }}
{{- if and (le (int $range.first) (int $workers.last)) (le (int $workers.first) (int $range.last)) }}
services.{{ $key }}.{{ $workers.setting }}.WORKER_ID: {{ $workers.first }} to {{ $workers.last }} overlaps with {{ $range.first }} to {{ $range.last }} of services.{{ $other }}
{{- end }}
{{- end }}
{{- $_ := set $ranges $key $workers }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The numbers of a service's workers: the setting that they come from, the first and the last, or a
problem. YAML, since templates return text.
Usage: {{ include "vrooli.workerNumbers" (list . "server") | fromYaml }}
*/}}
{{- define "vrooli.workerNumbers" -}}
{{- $service := get (first .).Values.services (last .) -}}
{{- $pods := int (get (first .).Values.replicaCount (last .)) -}}
{{- with $service.autoscaling -}}
{{- if or .enabled .keda.enabled -}}
{{- $pods = max $pods (int .maxReplicas) -}}
{{- end -}}
{{- end -}}
{{- if hasKey $service.extraEnv "WORKER_ID" -}}
{{- $number := get $service.extraEnv "WORKER_ID" | toString -}}
setting: extraEnv
{{- if gt $pods 1 }}
problem: {{ printf "%s would be the number of %d pods; use a StatefulSet, and the label apps.kubernetes.io/pod-index in pod.variables" $number $pods | quote }}
{{- else if regexMatch "^[0-9]+$" $number }}
first: {{ $number }}
last: {{ $number }}
{{- end }}
{{- else if hasKey ($service.pod.variables | default dict) "WORKER_ID" -}}
{{- $path := dig "fieldRef" "fieldPath" "" $service.pod.variables.WORKER_ID -}}
setting: pod.variables
{{- if ne $path "metadata.labels['apps.kubernetes.io/pod-index']" }}
{{- if and (gt $pods 1) (not $path) }}
problem: {{ printf "%d pods would read the same number; use a StatefulSet, and the label apps.kubernetes.io/pod-index" $pods | quote }}
{{- end }}
{{- else if ne (include "vrooli.workloadKind" .) "StatefulSet" }}
problem: "only the pods of a StatefulSet have this label; set workload.kind"
{{- else }}
{{- $start := int (dig "ordinals" "start" 0 $service.workload) }}
first: {{ $start }}
last: {{ max $start (sub (add $start $pods) 1) }}
{{- end }}
{{- end }}
{{- end }}
