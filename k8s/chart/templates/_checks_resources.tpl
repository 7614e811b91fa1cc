{{/*
Rejects requests above their limits. For devices, request and limit must be equal: they can't be shared.
*/}}
{{- define "vrooli.resourceChecks" -}}
{{- $all := dict }}
{{- range $key, $service := .Values.services }}
{{- $_ := set $all (printf "services.%s.resources" $key) $service.resources }}
{{- end }}
{{- $_ := set $all "rotation.resources" .Values.rotation.resources }}
{{- with .Values.pgoPostgresql }}
{{- $all = merge $all (dict
    "pgoPostgresql.resources" .resources
    "pgoPostgresql.sidecarResources" .sidecarResources
    "pgoPostgresql.pgBouncer.resources" .pgBouncer.resources
    "pgoPostgresql.backup.resources" .backup.resources) }}
{{- end }}
{{- with .Values.spotahomeRedis }}
{{- $all = merge $all (dict
    "spotahomeRedis.redis.resources" .redis.resources
    "spotahomeRedis.sentinel.resources" .sentinel.resources) }}
{{- end }}
{{- range $path, $resources := $all }}
{{- $limits := $resources.limits | default dict }}
{{- range $name, $request := $resources.requests }}
{{- if hasKey $limits $name }}
{{- if gt (include "vrooli.quantity" $request | float64) (include "vrooli.quantity" (get $limits $name) | float64) }}
{{ $path }}.requests.{{ $name }}: {{ $request }} is greater than the limit, {{ get $limits $name }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name := concat (keys ($resources.requests | default dict)) (keys $limits) | uniq | sortAlpha }}
{{- if and (contains "/" $name) (ne (get ($resources.requests | default dict) $name | default (get $limits $name) | int) (get $limits $name | int)) }}
{{ $path }}.requests.{{ $name }}: the request of a device must equal its limit
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
A quantity as a number: 500m is 0.5.
Usage: {{ include "vrooli.quantity" "500m" | float64 }}
*/}}
{{- define "vrooli.quantity" -}}
{{- $text := include "vrooli.text" . -}}
{{- $units := dict "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
    "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0
    "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 -}}
{{- $number := regexFind "^[0-9.]+" $text -}}
{{- mulf (float64 $number) (get $units (trimPrefix $number $text) | default 1.0) }}
{{- end }}
