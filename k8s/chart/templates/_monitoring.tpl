{{/*
Labels of an object that Prometheus or Grafana selects. The labels of the last argument take
precedence over the chart's.
Usage: {{ include "vrooli.discoveryLabels" (list . "server" .Values.monitoring.labels) }}
*/}}
{{- define "vrooli.discoveryLabels" -}}
{{- $own := include "vrooli.labels" (initial .) | fromYaml -}}
{{- toYaml (merge (deepCopy (last .)) $own) }}
{{- end }}

{{/*
Whether the PostgreSQL or Redis exporters run: "true" or nothing. A Prometheus without the chart's
monitors may scrape them too.
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
Whether the chart creates monitors for the exporters: "true" or nothing.
Usage: {{ if include "vrooli.postgresIsMonitored" . }}
*/}}
{{- define "vrooli.postgresIsMonitored" -}}
{{- if .Values.monitoring.enabled }}{{ include "vrooli.postgresHasExporters" . }}{{ end }}
{{- end }}

{{- define "vrooli.redisIsMonitored" -}}
{{- if .Values.monitoring.enabled }}{{ include "vrooli.redisHasExporters" . }}{{ end }}
{{- end }}

{{/*
Whether the chart creates a monitor for a service: "true" or nothing.
Usage: {{ if include "vrooli.serviceIsMonitored" (list . "server") }}
*/}}
{{- define "vrooli.serviceIsMonitored" -}}
{{- with (first .).Values }}
{{- if and .monitoring.enabled (hasKey .monitoring.services (last $)) (index .services (last $)).enabled }}true{{ end }}
{{- end }}
{{- end }}

{{/*
PromQL label matchers of the release's series, without the braces.
Usage: {{ include "vrooli.seriesMatchers" (list . "postgres") }}; the second argument is postgres,
redis, or "" for the application.
*/}}
{{- define "vrooli.seriesMatchers" -}}
{{- $root := first . -}}
{{- $part := last . -}}
namespace="{{ $root.Release.Namespace }}",
{{- if eq $part "postgres" }}pod=~"{{ $root.Values.pgoPostgresql.clusterName }}-.+"
{{- else if eq $part "redis" }}pod=~"rf[rs]-{{ $root.Values.spotahomeRedis.name }}-.+"
{{- else }}pod=~"{{ include "vrooli.deploymentPattern" $root }}-.+"
{{- end }}
{{- end }}

{{/*
Regular expression that matches the names of the release's Deployments.
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
