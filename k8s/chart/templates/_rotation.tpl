{{/*
Whether the rotator manages a database's password: "true" or nothing. It does so for databases that an
operator runs. External databases are not rotated.
Usage: {{ if include "vrooli.isRotated" (list . "postgres") }}
*/}}
{{- define "vrooli.isRotated" -}}
{{- $key := last . -}}
{{- with (first .).Values }}
{{- $operator := dict "postgres" .pgoPostgresql "redis" .spotahomeRedis }}
{{- if and .rotation.enabled .vso.enabled (hasKey $operator $key) }}
{{- if and (get $operator $key).enabled (get .vso.secrets $key).enabled }}true{{ end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Whether the rotator is deployed: "true" or nothing.
Usage: {{ if include "vrooli.hasRotator" . }}
*/}}
{{- define "vrooli.hasRotator" -}}
{{- if or (include "vrooli.isRotated" (list . "postgres")) (include "vrooli.isRotated" (list . "redis")) }}true{{ end }}
{{- end }}

{{/*
The Secret that VSO syncs. With rotation, the rotator reads it and publishes the Secret that pods read.
Usage: {{ include "vrooli.sourceSecret" (list . "postgres") }}
*/}}
{{- define "vrooli.sourceSecret" -}}
{{- $name := (get (first .).Values.vso.secrets (last .)).k8sSecretName -}}
{{- if include "vrooli.isRotated" . }}{{ printf "%s-vault" $name }}{{ else }}{{ $name }}{{ end }}
{{- end }}

{{/*
The second login role of the application's user.
Usage: {{ include "vrooli.alternateUser" . }}
*/}}
{{- define "vrooli.alternateUser" -}}
{{- (first .Values.pgoPostgresql.users).name }}-alternate
{{- end }}

{{/*
The workloads that read a password that the rotator publishes. JSON, since templates return text.
Usage: {{ include "vrooli.rotationConsumers" . | fromJsonArray }}
*/}}
{{- define "vrooli.rotationConsumers" -}}
{{- $names := list }}
{{- range list "postgres" "redis" }}
{{- if include "vrooli.isRotated" (list $ .) }}
{{- $names = concat $names (include "vrooli.readers" (list $ .) | fromJsonArray) }}
{{- end }}
{{- end }}
{{- uniq $names | toJson }}
{{- end }}

{{/*
These workloads as text: the name of a Deployment, StatefulSet/name of a StatefulSet.
Usage: {{ include "vrooli.consumerNames" . }}
*/}}
{{- define "vrooli.consumerNames" -}}
{{- $names := list }}
{{- range include "vrooli.rotationConsumers" . | fromJsonArray }}
{{- $names = append $names (eq .kind "Deployment" | ternary .name (printf "%s/%s" .kind .name)) }}
{{- end }}
{{- join "," $names }}
{{- end }}

{{/*
Environment variables of the rotator. They contain names, never secret values.
Usage: {{ include "vrooli.rotatorEnvironment" . }}
*/}}
{{- define "vrooli.rotatorEnvironment" -}}
- name: NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- $name := include "vrooli.fullname" . }}
{{- $settings := dict "DEPLOYMENT" (printf "%s-rotator" $name) "STATE_SECRET" (printf "%s-rotation" $name) "LOG_LEVEL" .Values.config.logLevel "CONSUMERS" (include "vrooli.consumerNames" .) }}
{{- if include "vrooli.isRotated" (list . "postgres") }}
{{- with .Values.pgoPostgresql }}
{{- $user := first .users }}
{{- $settings = merge $settings (dict "POSTGRES_CLUSTER" .clusterName "POSTGRES_USER" $user.name "POSTGRES_DATABASE" (first $user.databases | default "postgres") "POSTGRES_HOST" (printf "%s-pgbouncer" .clusterName)) }}
{{- end }}
{{- $settings = merge $settings (dict "POSTGRES_SOURCE" (include "vrooli.sourceSecret" (list . "postgres")) "POSTGRES_SECRET" .Values.vso.secrets.postgres.k8sSecretName) }}
{{- end }}
{{- if include "vrooli.isRotated" (list . "redis") }}
{{- with .Values.spotahomeRedis }}
{{- $settings = merge $settings (dict "REDIS_FAILOVER" .name "REDIS_REPLICAS" .redis.replicas "REDIS_SENTINELS" .sentinel.replicas "REDIS_PERSISTENT" $.Values.persistence.redis.enabled) }}
{{- end }}
{{- $settings = merge $settings (dict "REDIS_SOURCE" (include "vrooli.sourceSecret" (list . "redis")) "REDIS_SECRET" .Values.vso.secrets.redis.k8sSecretName) }}
{{- end }}
{{- range $key, $value := $settings }}
- name: {{ $key }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
