{{/*
Rules of optional settings: two values for one setting, names that the chart or another service uses,
and DB_URL or REDIS_URL whose parts are missing.
*/}}
{{- define "vrooli.podChecks" -}}
{{- $names := dict }}
{{- range $key, $service := .Values.services }}
{{- $_ := set $names (include "vrooli.componentName" (list $ $key)) (printf "services.%s" $key) }}
{{- end }}
{{- include "vrooli.labelChecks" (list "commonLabels" .Values.commonLabels) }}
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
