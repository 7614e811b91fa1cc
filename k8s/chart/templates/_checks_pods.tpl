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
Rejects numbers of workers that several pods would have: Vrooli's pods make the same ids then.
*/}}
{{- define "vrooli.workerChecks" -}}
{{- $numbers := dict }}
{{- range $key, $service := .Values.services }}
{{- $number := dig "WORKER_ID" "" $service.extraEnv | toString }}
{{- if $number }}
{{- $pods := int (get $.Values.replicaCount $key) }}
{{- with $service.autoscaling }}
{{- if or .enabled .keda.enabled }}
{{- $pods = max $pods (int .maxReplicas) }}
{{- end }}
{{- end }}
{{- if gt $pods 1 }}
services.{{ $key }}.extraEnv.WORKER_ID: {{ $number }} would be the number of {{ $pods }} pods; use a StatefulSet, and the label apps.kubernetes.io/pod-index in pod.variables
{{- end }}
{{- with get $numbers $number }}
services.{{ $key }}.extraEnv.WORKER_ID: {{ $number }} is also the number of {{ . }}
{{- end }}
{{- $_ := set $numbers $number (printf "services.%s" $key) }}
{{- end }}
{{- end }}
{{- end }}
