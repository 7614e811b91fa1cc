{{/*
What the schema can't say, since it compares two values: all that is wrong, one message a line.
Usage: {{ include "vrooli.checks" . }}
*/}}
{{- define "vrooli.checks" -}}
{{- range $key, $service := .Values.services }}
{{- with $service.autoscaling }}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
services.{{ $key }}.autoscaling.minReplicas: {{ .minReplicas }} is more than maxReplicas, {{ .maxReplicas }}
{{- end }}
{{- end }}
{{- if ge (int $service.drainSeconds) (int $service.terminationGracePeriodSeconds) }}
services.{{ $key }}.drainSeconds: {{ $service.drainSeconds }} leaves no time to end: terminationGracePeriodSeconds is {{ $service.terminationGracePeriodSeconds }}
{{- end }}
{{- end }}
{{- include "vrooli.resourceChecks" . }}
{{- include "vrooli.databaseChecks" . }}
{{- include "vrooli.networkChecks" . }}
{{- include "vrooli.secretChecks" . }}
{{- if .Values.ingress.enabled }}
{{- include "vrooli.ingressChecks" . }}
{{- end }}
{{- end }}

{{- define "vrooli.ingressChecks" -}}
{{- $hosts := list }}
{{- range .Values.ingress.hosts }}
{{- $hosts = append $hosts .host }}
{{- range .paths }}
{{- if not (get $.Values.services .service).enabled }}
ingress.hosts: path {{ .path }} leads to the service {{ .service | quote }}, which is disabled
{{- end }}
{{- end }}
{{- end }}
{{- /* A rule without a host, or a wildcard's certificate, fits more than its own name. */}}
{{- range .Values.ingress.tls }}
{{- range .hosts }}
{{- if not (or (has . $hosts) (has "" $hosts) (hasPrefix "*." .)) }}
ingress.tls: {{ . }} is none of ingress.hosts
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.ingress.className (hasKey .Values.ingress.annotations "kubernetes.io/ingress.class") }}
ingress.annotations: kubernetes.io/ingress.class is there beside ingress.className
{{- end }}
{{- range $name, $value := .Values.ingress.annotations }}
{{- if and $.Values.ingress.certManager.issuer (has $name (list "cert-manager.io/issuer" "cert-manager.io/cluster-issuer")) }}
ingress.annotations: {{ $name }} is there beside ingress.certManager.issuer
{{- end }}
{{- end }}
{{- end }}

{{- define "vrooli.databaseChecks" -}}
{{- $users := list }}
{{- range .Values.pgoPostgresql.users }}
{{- if has .name $users }}
pgoPostgresql.users: {{ .name }} is there twice
{{- end }}
{{- $users = append $users .name }}
{{- end }}
{{- if include "vrooli.isRotated" (list . "postgres") }}
{{- include "vrooli.alternateChecks" (list . $users) }}
{{- end }}
{{- with .Values.pgoPostgresql.backup }}
{{- if .s3.enabled }}
{{- range $kind, $cron := .s3.schedules }}
{{- if and $cron (has $cron (values $.Values.pgoPostgresql.backup.schedules)) }}
pgoPostgresql.backup.s3.schedules.{{ $kind }}: {{ $cron }} is one of backup.schedules too, and of two backups at once one fails
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
What the second login role can't be, and what would take the first one's role away from it.
*/}}
{{- define "vrooli.alternateChecks" -}}
{{- $root := first . -}}
{{- $users := last . -}}
{{- $alternate := include "vrooli.alternateUser" $root }}
{{- if has $alternate $users }}
pgoPostgresql.users: {{ $alternate }} is the second role of {{ first $users }}, by which its password is rotated
{{- end }}
{{- if contains "DISCARD ALL" (dig "server_reset_query" "" $root.Values.pgoPostgresql.pgBouncer.config | upper) }}
pgoPostgresql.pgBouncer.config.server_reset_query: DISCARD ALL takes from the second login role that it acts as the first; RESET ROLE does not
{{- end }}
{{- end }}

{{- define "vrooli.secretChecks" -}}
{{- $owners := dict }}
{{- range $key, $secret := .Values.vso.secrets }}
{{- if $secret.enabled }}
{{- with get $owners $secret.k8sSecretName }}
vso.secrets.{{ $key }}.k8sSecretName: {{ $secret.k8sSecretName }} is the Secret of vso.secrets.{{ . }} too
{{- end }}
{{- $_ := set $owners $secret.k8sSecretName $key }}
{{- $source := include "vrooli.sourceSecret" (list $ $key) }}
{{- if and (ne $source $secret.k8sSecretName) (hasKey $owners $source) }}
vso.secrets.{{ get $owners $source }}.k8sSecretName: {{ $source }} is the Secret from which the rotator fills that of vso.secrets.{{ $key }}
{{- end }}
{{- if gt (len $source) 253 }}
vso.secrets.{{ $key }}.k8sSecretName: {{ $source }}, which VSO fills, has more than 253 characters
{{- end }}
{{- $_ := set $owners $source $key }}
{{- end }}
{{- end }}
{{- end }}
