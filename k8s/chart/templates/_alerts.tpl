{{/*
One alert rule.
Usage: {{ include "vrooli.alert" (list "VrooliRedisDown" "critical" "2m" $expr $summary) }}
*/}}
{{- define "vrooli.alert" -}}
- alert: {{ index . 0 }}
  expr: {{ index . 3 | quote }}
  for: {{ index . 2 }}
  labels:
    severity: {{ index . 1 }}
  annotations:
    summary: {{ index . 4 | quote }}
{{ end }}

{{/*
Rules for the application's Deployments, pods and volumes, from metrics of kube-state-metrics and the
kubelet.
Usage: {{ include "vrooli.applicationAlerts" . }}
*/}}
{{- define "vrooli.applicationAlerts" -}}
{{- $pods := include "vrooli.seriesMatchers" (list . "") -}}
{{- $deployments := printf `namespace="%s",deployment=~"%s"` .Release.Namespace (include "vrooli.deploymentPattern" .) -}}
{{ include "vrooli.alert" (list "VrooliServiceDown" "critical" "2m"
    (printf "kube_deployment_spec_replicas{%s} > 0 and kube_deployment_status_replicas_available{%s} == 0" $deployments $deployments)
    "{{ $labels.deployment }} has no available pod") }}
{{- include "vrooli.alert" (list "VrooliServiceDegraded" "warning" "15m"
    (printf "kube_deployment_status_replicas_available{%s} < kube_deployment_spec_replicas{%s}" $deployments $deployments)
    "{{ $labels.deployment }} has fewer available pods than desired") }}
{{- include "vrooli.alert" (list "VrooliPodRestarts" "warning" "0m"
    (printf "increase(kube_pod_container_status_restarts_total{%s}[15m]) > 3" $pods)
    "{{ $labels.pod }} has restarted more than 3 times in 15 minutes") }}
{{- include "vrooli.alert" (list "VrooliVolumeFillsUp" "warning" "10m"
    (printf `kubelet_volume_stats_available_bytes{namespace="%s"} / kubelet_volume_stats_capacity_bytes{namespace="%s"} < 0.1` .Release.Namespace .Release.Namespace)
    "{{ $labels.persistentvolumeclaim }} is more than 90 % full") }}
{{- if include "vrooli.serviceIsMonitored" (list . "server") }}
{{- include "vrooli.alert" (list "VrooliServerErrors" "warning" "5m"
    (printf `sum(rate(vrooli_http_requests_total{%s,status=~"5.."}[5m])) / sum(rate(vrooli_http_requests_total{%s}[5m])) > 0.05` $pods $pods)
    "More than 5 % of the server's responses are 5xx errors") }}
{{- end }}
{{- if include "vrooli.serviceIsMonitored" (list . "jobs") }}
{{- include "vrooli.alert" (list "VrooliQueueWaits" "warning" "10m"
    (printf `min_over_time(max(vrooli_queue_jobs{%s,state="queued"})[10m:1m]) > 0 and (sum(increase(vrooli_verdicts_total{%s}[10m])) or vector(0)) == 0` $pods $pods)
    "Posts are queued, and no verdict was reached in 10 minutes") }}
{{- end }}
{{- end }}

{{/*
Rules for the metrics of PGO's exporter. ccp_is_in_recovery_status is 2 on a primary, 1 on a replica.
Usage: {{ include "vrooli.postgresAlerts" . }}
*/}}
{{- define "vrooli.postgresAlerts" -}}
{{- $own := include "vrooli.seriesMatchers" (list . "postgres") -}}
{{ include "vrooli.alert" (list "VrooliPostgresWithoutPrimary" "critical" "1m"
    (printf "(count(ccp_is_in_recovery_status{%s} == 2) or vector(0)) < 1" $own)
    "PostgreSQL has no primary: writes fail") }}
{{- include "vrooli.alert" (list "VrooliPostgresReplicationLag" "warning" "5m"
    (printf "max(ccp_replication_lag_size_bytes{%s}) > 100e6" $own)
    "A PostgreSQL replica lags by more than 100 MB") }}
{{- include "vrooli.alert" (list "VrooliPostgresConnections" "warning" "5m"
    (printf "max by (pod) (ccp_connection_stats_total{%s} / ccp_connection_stats_max_connections{%s}) > 0.8" $own $own)
    "{{ $labels.pod }} uses more than 80 % of its connections") }}
{{- $backup := .Values.pgoPostgresql.backup }}
{{- $schedules := list $backup.schedules.full }}
{{- range include "vrooli.cloudRepositories" $ | fromYamlArray }}
{{- $schedules = append $schedules (get $backup .kind).schedules.full }}
{{- end }}
{{- if compact $schedules }}
{{- include "vrooli.alert" (list "VrooliPostgresBackupOld" "warning" "1h"
    (printf "min(ccp_backrest_last_full_backup_time_since_completion_seconds{%s}) > %d" $own (mul $.Values.monitoring.alerts.backupAgeDays 86400))
    (printf "The last full backup of PostgreSQL is older than %d days" (int $.Values.monitoring.alerts.backupAgeDays))) }}
{{- end }}
{{- end }}

{{/*
Rules for the metrics of the Redis and Sentinel exporters.
Usage: {{ include "vrooli.redisAlerts" . }}
*/}}
{{- define "vrooli.redisAlerts" -}}
{{- $own := include "vrooli.seriesMatchers" (list . "redis") -}}
{{ include "vrooli.alert" (list "VrooliRedisDown" "critical" "2m"
    (printf "redis_up{%s} == 0" $own)
    "{{ $labels.pod }} does not respond") }}
{{- include "vrooli.alert" (list "VrooliRedisWithoutMaster" "critical" "1m"
    (printf `(count(redis_instance_info{%s,role="master",redis_mode!="sentinel"}) or vector(0)) != 1` $own)
    "Redis does not have exactly one master") }}
{{- include "vrooli.alert" (list "VrooliRedisMemory" "warning" "5m"
    (printf "redis_memory_max_bytes{%s} > 0 and redis_memory_used_bytes{%s} / redis_memory_max_bytes{%s} > 0.9" $own $own $own)
    "{{ $labels.pod }} uses more than 90 % of maxmemory; at 100 % writes are refused") }}
{{- include "vrooli.alert" (list "VrooliSentinelQuorum" "warning" "5m"
    (printf "min(redis_sentinel_master_ok_sentinels{%s}) < %d" $own (add 1 (div (int .Values.spotahomeRedis.sentinel.replicas) 2)))
    "Too few Sentinels are connected to elect a new master") }}
{{- end }}
