{{/*
The enabled repositories of backups outside the cluster, as YAML: their key in `backup`, pgBackRest's
number of the repository, and the port of the endpoint. A number stays with its kind, so that
disabling one does not move the backups of another.
Usage: {{ range include "vrooli.cloudRepositories" . | fromYamlArray }}
*/}}
{{- define "vrooli.cloudRepositories" -}}
{{- $backup := .Values.pgoPostgresql.backup -}}
{{- range $index, $kind := list "s3" "gcs" "azure" }}
{{- $settings := get $backup $kind }}
{{- if $settings.enabled }}
- kind: {{ $kind }}
  number: {{ add 2 $index }}
  port: {{ $settings.endpoint | default "" | regexFind ":[0-9]+$" | trimPrefix ":" | default "443" }}
{{- end }}
{{- end }}
{{- end }}

{{/*
pgBackRest's options of these repositories; their keys and passphrases are in the Secrets.
Usage: {{ include "vrooli.cloudOptions" . }}
*/}}
{{- define "vrooli.cloudOptions" -}}
{{- $root := . }}
{{- $postgres := .Values.pgoPostgresql }}
{{- range include "vrooli.cloudRepositories" . | fromYamlArray }}
{{- $repo := printf "repo%d" (int .number) }}
{{ $repo }}-path: /pgbackrest/{{ $root.Release.Namespace }}/{{ $postgres.clusterName }}/{{ $repo }}
{{ $repo }}-retention-full: {{ int $postgres.backup.retentionFull | quote }}
{{ $repo }}-retention-full-type: count
{{- /* Many files in one object: a request for each of a thousand small files is slow and costs. */}}
{{ $repo }}-bundle: "y"
{{- if (get $postgres.backup .kind).encrypted }}
{{ $repo }}-cipher-type: aes-256-cbc
{{- end }}
{{- if eq .kind "gcs" }}
{{ $repo }}-gcs-key: /etc/pgbackrest/conf.d/gcs-key.json
{{- end }}
{{- end }}
{{- end }}

{{/*
The entries of these repositories in PGO's list.
Usage: {{ include "vrooli.cloudRepos" . }}
*/}}
{{- define "vrooli.cloudRepos" -}}
{{- $backup := .Values.pgoPostgresql.backup }}
{{- range include "vrooli.cloudRepositories" . | fromYamlArray }}
{{- $settings := get $backup .kind }}
- name: repo{{ int .number }}
  {{ .kind }}:
    {{- range $key := list "bucket" "container" "endpoint" "region" }}
    {{- with get $settings $key }}
    {{ $key }}: {{ . | quote }}
    {{- end }}
    {{- end }}
  {{- include "vrooli.backupSchedules" $settings.schedules | nindent 2 }}
{{- end }}
{{- end }}

{{/*
Rejects schedules that start two backups at once, and CIDRs that the API server would reject.
*/}}
{{- define "vrooli.backupChecks" -}}
{{- $backup := .Values.pgoPostgresql.backup }}
{{- $used := dict }}
{{- range $cron := values $backup.schedules }}
{{- $_ := set $used $cron "backup.schedules" }}
{{- end }}
{{- range $kind := list "s3" "gcs" "azure" }}
{{- $settings := get $backup $kind }}
{{- $path := printf "pgoPostgresql.backup.%s" $kind }}
{{- range $settings.cidrs }}
{{- include "vrooli.cidrCheck" (list (printf "%s.cidrs" $path) .) }}
{{- end }}
{{- if $settings.enabled }}
{{- range $type, $cron := $settings.schedules }}
{{- with and $cron (get $used $cron) }}
{{ $path }}.schedules.{{ $type }}: {{ $cron }} is also in {{ . }}; of two simultaneous backups, one fails
{{- end }}
{{- end }}
{{- range $cron := values $settings.schedules }}
{{- $_ := set $used $cron (printf "backup.%s.schedules" $kind) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
