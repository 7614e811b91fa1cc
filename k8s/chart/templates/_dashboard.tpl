{{/*
The panels of the dashboard as a YAML list of title, unit, query and the label of each series.
Usage: {{ include "vrooli.dashboardPanels" . | fromYamlArray }}
*/}}
{{- define "vrooli.dashboardPanels" -}}
{{- $pods := include "vrooli.seriesMatchers" (list . "") -}}
{{- $postgres := include "vrooli.seriesMatchers" (list . "postgres") -}}
{{- $redis := include "vrooli.seriesMatchers" (list . "redis") -}}
{{- $deployments := printf `namespace="%s",deployment=~"%s"` .Release.Namespace (include "vrooli.deploymentPattern" .) -}}
{{- $panels := list
    (list "Available pods" "short" (printf "kube_deployment_status_replicas_available{%s}" $deployments) "deployment")
    (list "Restarts in an hour" "short" (printf "sum by (pod) (increase(kube_pod_container_status_restarts_total{%s}[1h]))" $pods) "pod")
    (list "CPU in cores" "short" (printf `sum by (pod) (rate(container_cpu_usage_seconds_total{%s,container!=""}[5m]))` $pods) "pod")
    (list "Memory" "bytes" (printf `sum by (pod) (container_memory_working_set_bytes{%s,container!=""})` $pods) "pod")
}}
{{- if include "vrooli.serviceIsMonitored" (list . "server") }}
{{- $panels = concat $panels (list
    (list "Server: requests" "reqps" (printf "sum by (handler) (rate(vrooli_http_requests_total{%s}[5m]))" $pods) "handler")
    (list "Server: responses by status" "reqps" (printf "sum by (status) (rate(vrooli_http_requests_total{%s}[5m]))" $pods) "status")
    (list "Server: 95th percentile of latency" "s" (printf "histogram_quantile(0.95, sum by (le, handler) (rate(vrooli_http_request_seconds_bucket{%s}[5m])))" $pods) "handler")) }}
{{- end }}
{{- if include "vrooli.serviceIsMonitored" (list . "jobs") }}
{{- $panels = concat $panels (list
    (list "Jobs: queue" "short" (printf "max by (state) (vrooli_queue_jobs{%s})" $pods) "state")
    (list "Jobs: verdicts" "ops" (printf "sum by (state) (rate(vrooli_verdicts_total{%s}[5m]))" $pods) "state")) }}
{{- end }}
{{- if include "vrooli.postgresIsMonitored" . }}
{{- $panels = concat $panels (list
    (list "PostgreSQL: connections" "short" (printf "ccp_connection_stats_total{%s}" $postgres) "pod")
    (list "PostgreSQL: replication lag" "bytes" (printf "ccp_replication_lag_size_bytes{%s}" $postgres) "pod")
    (list "PostgreSQL: size of the databases" "bytes" (printf "max by (dbname) (ccp_database_size_bytes{%s})" $postgres) "dbname")
    (list "PostgreSQL: age of the last full backup" "s" (printf "ccp_backrest_last_full_backup_time_since_completion_seconds{%s}" $postgres) "pod")) }}
{{- end }}
{{- if include "vrooli.redisIsMonitored" . }}
{{- $panels = concat $panels (list
    (list "Redis: memory" "bytes" (printf "redis_memory_used_bytes{%s}" $redis) "pod")
    (list "Redis: clients" "short" (printf "redis_connected_clients{%s}" $redis) "pod")
    (list "Redis: commands" "ops" (printf "rate(redis_commands_processed_total{%s}[5m])" $redis) "pod")
    (list "Redis: connected Sentinels" "short" (printf "redis_sentinel_master_ok_sentinels{%s}" $redis) "pod")) }}
{{- end }}
{{- toYaml $panels }}
{{- end }}

{{/*
The dashboard as Grafana's JSON: two panels per row, each 12 of 24 columns wide and 8 high.
Usage: {{ include "vrooli.dashboard" . }}
*/}}
{{- define "vrooli.dashboard" -}}
{{- $source := dict "type" "prometheus" "uid" "${datasource}" -}}
{{- $panels := list -}}
{{- range $index, $panel := include "vrooli.dashboardPanels" . | fromYamlArray }}
{{- $position := dict "w" 12 "h" 8 "x" (mul 12 (mod $index 2)) "y" (mul 8 (div $index 2)) }}
{{- $query := dict "refId" "A" "expr" (index $panel 2) "legendFormat" (printf "{{%s}}" (index $panel 3)) "datasource" $source }}
{{- $panels = append $panels (dict
    "id" (add 1 $index) "type" "timeseries" "title" (index $panel 0) "gridPos" $position "datasource" $source
    "targets" (list $query) "fieldConfig" (dict "defaults" (dict "unit" (index $panel 1) "min" 0) "overrides" list)) }}
{{- end }}
{{- $datasource := dict "name" "datasource" "label" "Source" "type" "datasource" "query" "prometheus" -}}
{{- dict
    "uid" (printf "%s/%s" .Release.Namespace .Release.Name | sha256sum | trunc 32)
    "title" (printf "Vrooli: %s in %s" .Release.Name .Release.Namespace) "tags" (list "vrooli")
    "schemaVersion" 39 "refresh" "30s" "time" (dict "from" "now-3h" "to" "now")
    "templating" (dict "list" (list $datasource)) "panels" $panels | toPrettyJson }}
{{- end }}
