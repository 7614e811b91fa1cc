{{/*
Labels of an object that Prometheus or Grafana should find: the chart's, and those that they select,
which win.
Usage: {{ include "vrooli.foundLabels" (list . "server" .Values.monitoring.labels) }}
*/}}
{{- define "vrooli.foundLabels" -}}
{{- $own := include "vrooli.labels" (initial .) | fromYaml -}}
{{- toYaml (merge (deepCopy (last .)) $own) }}
{{- end }}

{{/*
Whether PostgreSQL's, or Redis', exporters run: "true" or nothing. Any Prometheus may read them, also
one that the chart's own monitors don't tell.
Usage: {{ if include "vrooli.postgresHasExporters" . }}
*/}}
{{- define "vrooli.postgresHasExporters" -}}
{{- with .Values.pgoPostgresql }}
{{- if and .enabled .monitoring.enabled }}true{{ end }}
{{- end }}
{{- end }}

{{- define "vrooli.redisHasExporters" -}}
{{- with .Values.spotahomeRedis }}
{{- if and .enabled .exporter.enabled }}true{{ end }}
{{- end }}
{{- end }}

{{/*
Whether they run and the chart's own monitors are wanted: "true" or nothing.
Usage: {{ if include "vrooli.postgresIsMonitored" . }}
*/}}
{{- define "vrooli.postgresIsMonitored" -}}
{{- if .Values.monitoring.enabled }}{{ include "vrooli.postgresHasExporters" . }}{{ end }}
{{- end }}

{{- define "vrooli.redisIsMonitored" -}}
{{- if .Values.monitoring.enabled }}{{ include "vrooli.redisHasExporters" . }}{{ end }}
{{- end }}

{{/*
Whether a service's own metrics are wanted: "true" or nothing.
Usage: {{ if include "vrooli.serviceIsMonitored" (list . "server") }}
*/}}
{{- define "vrooli.serviceIsMonitored" -}}
{{- with (first .).Values }}
{{- if and .monitoring.enabled (hasKey .monitoring.services (last $)) (index .services (last $)).enabled }}true{{ end }}
{{- end }}
{{- end }}

{{/*
What selects the release's own series in PromQL, without the braces.
Usage: {{ include "vrooli.ownSeries" (list . "postgres") }}; the second part is postgres or redis,
whose monitors add the pod's name, or "" for the application.
*/}}
{{- define "vrooli.ownSeries" -}}
{{- $root := first . -}}
{{- $part := last . -}}
namespace="{{ $root.Release.Namespace }}",
{{- if eq $part "postgres" }}pod=~"{{ $root.Values.pgoPostgresql.clusterName }}-.+"
{{- else if eq $part "redis" }}pod=~"rf[rs]-{{ $root.Values.spotahomeRedis.name }}-.+"
{{- else }}pod=~"{{ include "vrooli.deploymentPattern" $root }}-.+"
{{- end }}
{{- end }}

{{/*
The names of the release's Deployments as one regular expression.
Usage: {{ include "vrooli.deploymentPattern" . }}
*/}}
{{- define "vrooli.deploymentPattern" -}}
{{- $names := list -}}
{{- range $key, $service := .Values.services }}
{{- if $service.enabled }}
{{- $names = append $names ($key | kebabcase) }}
{{- end }}
{{- end }}
{{- printf "%s-(%s)" (include "vrooli.fullname" .) (join "|" $names) }}
{{- end }}
