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
Rules over the application's Deployments, pods and volumes; kube-state-metrics and the kubelet give
their series.
Usage: {{ include "vrooli.applicationAlerts" . }}
*/}}
{{- define "vrooli.applicationAlerts" -}}
{{- $pods := include "vrooli.ownSeries" (list . "") -}}
{{- $deployments := printf `namespace="%s",deployment=~"%s"` .Release.Namespace (include "vrooli.deploymentPattern" .) -}}
{{ include "vrooli.alert" (list "VrooliServiceDown" "critical" "2m"
    (printf "kube_deployment_spec_replicas{%s} > 0 and kube_deployment_status_replicas_available{%s} == 0" $deployments $deployments)
    "{{ $labels.deployment }} has no available pod") }}
{{- include "vrooli.alert" (list "VrooliServiceDegraded" "warning" "15m"
    (printf "kube_deployment_status_replicas_available{%s} < kube_deployment_spec_replicas{%s}" $deployments $deployments)
    "{{ $labels.deployment }} has fewer pods than it wants") }}
{{- include "vrooli.alert" (list "VrooliPodRestarts" "warning" "0m"
    (printf "increase(kube_pod_container_status_restarts_total{%s}[15m]) > 3" $pods)
    "{{ $labels.pod }} restarts again and again") }}
{{- include "vrooli.alert" (list "VrooliVolumeFillsUp" "warning" "10m"
    (printf `kubelet_volume_stats_available_bytes{namespace="%s"} / kubelet_volume_stats_capacity_bytes{namespace="%s"} < 0.1` .Release.Namespace .Release.Namespace)
    "{{ $labels.persistentvolumeclaim }} is more than 90 % full") }}
{{- if include "vrooli.serviceIsMonitored" (list . "server") }}
{{- include "vrooli.alert" (list "VrooliServerErrors" "warning" "5m"
    (printf `sum(rate(vrooli_http_requests_total{%s,status=~"5.."}[5m])) / sum(rate(vrooli_http_requests_total{%s}[5m])) > 0.05` $pods $pods)
    "More than 5 % of the server's answers are errors of its own") }}
{{- end }}
{{- if include "vrooli.serviceIsMonitored" (list . "jobs") }}
{{- include "vrooli.alert" (list "VrooliQueueWaits" "warning" "10m"
    (printf `min_over_time(max(vrooli_queue_jobs{%s,state="queued"})[10m:1m]) > 0 and (sum(increase(vrooli_verdicts_total{%s}[10m])) or vector(0)) == 0` $pods $pods)
    "Posts wait for a verdict, and none was decided in ten minutes") }}
{{- end }}
{{- end }}

{{/*
Rules over the series of PGO's exporter. It says 2 for a primary and 1 for a replica.
Usage: {{ include "vrooli.postgresAlerts" . }}
*/}}
{{- define "vrooli.postgresAlerts" -}}
{{- $own := include "vrooli.ownSeries" (list . "postgres") -}}
{{ include "vrooli.alert" (list "VrooliPostgresWithoutPrimary" "critical" "1m"
    (printf "(count(ccp_is_in_recovery_status{%s} == 2) or vector(0)) < 1" $own)
    "PostgreSQL has no primary: nothing can be written") }}
{{- include "vrooli.alert" (list "VrooliPostgresReplicationLag" "warning" "5m"
    (printf "max(ccp_replication_lag_size_bytes{%s}) > 100e6" $own)
    "A replica of PostgreSQL is more than 100 MB behind") }}
{{- include "vrooli.alert" (list "VrooliPostgresConnections" "warning" "5m"
    (printf "max by (pod) (ccp_connection_stats_total{%s} / ccp_connection_stats_max_connections{%s}) > 0.8" $own $own)
    "{{ $labels.pod }} has used more than 80 % of its connections") }}
{{- $backup := .Values.pgoPostgresql.backup }}
{{- if or $backup.schedules.full (and $backup.s3.enabled $backup.s3.schedules.full) }}
{{- include "vrooli.alert" (list "VrooliPostgresBackupOld" "warning" "1h"
    (printf "min(ccp_backrest_last_full_backup_time_since_completion_seconds{%s}) > %d" $own (mul $.Values.monitoring.alerts.backupAgeDays 86400))
    (printf "The last full backup of PostgreSQL is older than %d days" (int $.Values.monitoring.alerts.backupAgeDays))) }}
{{- end }}
{{- end }}

{{/*
Rules over the series of the exporters beside Redis and Sentinel.
Usage: {{ include "vrooli.redisAlerts" . }}
*/}}
{{- define "vrooli.redisAlerts" -}}
{{- $own := include "vrooli.ownSeries" (list . "redis") -}}
{{ include "vrooli.alert" (list "VrooliRedisDown" "critical" "2m"
    (printf "redis_up{%s} == 0" $own)
    "{{ $labels.pod }} doesn't answer") }}
{{- include "vrooli.alert" (list "VrooliRedisWithoutMaster" "critical" "1m"
    (printf `(count(redis_instance_info{%s,role="master",redis_mode!="sentinel"}) or vector(0)) != 1` $own)
    "Redis has no master, or more than one") }}
{{- include "vrooli.alert" (list "VrooliRedisMemory" "warning" "5m"
    (printf "redis_memory_max_bytes{%s} > 0 and redis_memory_used_bytes{%s} / redis_memory_max_bytes{%s} > 0.9" $own $own $own)
    "{{ $labels.pod }} has used 90 % of its memory, after which it refuses writes") }}
{{- include "vrooli.alert" (list "VrooliSentinelQuorum" "warning" "5m"
    (printf "min(redis_sentinel_master_ok_sentinels{%s}) < %d" $own (add 1 (div (int .Values.spotahomeRedis.sentinel.replicas) 2)))
    "Too few Sentinels see each other to choose a new master") }}
{{- end }}
