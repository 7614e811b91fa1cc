{{/*
Name of the application, as in the labels.
Usage: {{ include "vrooli.name" . }}
*/}}
{{- define "vrooli.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
Prefix of the resource names: the release's name, unless overridden. Service names are limited to 63
characters and the longest suffix has 14, so a longer prefix is truncated and gets a hash. A prefix
with dots gets one too, since a release's name may contain dots and a Service's name may not.
Usage: {{ include "vrooli.fullname" . }}
*/}}
{{- define "vrooli.fullname" -}}
{{- $name := .Release.Name }}
{{- if .Values.fullnameOverride }}
{{- $name = .Values.fullnameOverride }}
{{- else if and .Values.nameOverride (not (contains .Values.nameOverride .Release.Name)) }}
{{- $name = printf "%s-%s" .Release.Name .Values.nameOverride }}
{{- end }}
{{- if or (gt (len $name) 49) (contains "." $name) }}
{{- printf "%s-%s" ($name | trunc 40 | replace "." "-" | trimSuffix "-") ($name | sha256sum | trunc 8) }}
{{- else }}
{{- $name }}
{{- end }}
{{- end }}

{{/*
Name of a component's resources. The key nsfwDetector becomes nsfw-detector.
Usage: {{ include "vrooli.componentName" (list . "nsfwDetector") }}
*/}}
{{- define "vrooli.componentName" -}}
{{- printf "%s-%s" (include "vrooli.fullname" (first .)) (last . | kebabcase) }}
{{- end }}

{{/*
Labels that select a component's pods.
Usage: {{ include "vrooli.selectorLabels" (list . "server") }}
*/}}
{{- define "vrooli.selectorLabels" -}}
{{- $root := first . -}}
app.kubernetes.io/name: {{ include "vrooli.name" $root | quote }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ last . | kebabcase }}
{{- end }}

{{/*
Labels of a component's objects.
Usage: {{ include "vrooli.labels" (list . "server") }}
*/}}
{{- define "vrooli.labels" -}}
{{- $root := first . -}}
{{ include "vrooli.selectorLabels" . }}
app.kubernetes.io/part-of: vrooli
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
Labels of a component's pods: only those that do not change with each version, which would restart
them. Labels of the pod itself come before common ones.
Usage: {{ include "vrooli.podLabels" (list . "server" $service.pod.labels) }}
*/}}
{{- define "vrooli.podLabels" -}}
{{- $root := first . -}}
{{ include "vrooli.selectorLabels" (list $root (index . 1)) }}
app.kubernetes.io/part-of: vrooli
{{- with merge (dict) (last . | default dict) $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
Reference of an image. A repository without a slash is prefixed with the registry.
Usage: {{ include "vrooli.image" (list . .Values.services.server) }}
*/}}
{{- define "vrooli.image" -}}
{{- $root := first . -}}
{{- $image := last . -}}
{{- if contains "/" $image.repository }}
{{- printf "%s:%s" $image.repository $image.tag }}
{{- else }}
{{- printf "%s/%s:%s" (tpl $root.Values.image.registry $root) $image.repository $image.tag }}
{{- end }}
{{- end }}

{{/*
The imagePullSecrets of a pod.
Usage: {{ include "vrooli.imagePullSecrets" . }}
*/}}
{{- define "vrooli.imagePullSecrets" -}}
{{- $names := .Values.image.pullSecrets -}}
{{- with .Values.vso.secrets.dockerhubPullSecret }}
{{- if .enabled }}
{{- $names = prepend $names .k8sSecretName | uniq }}
{{- end }}
{{- end }}
{{- with $names -}}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
The Service of a component as a URL.
Usage: {{ include "vrooli.url" (list . "server") }}
*/}}
{{- define "vrooli.url" -}}
{{- $service := get (first .).Values.services (last .) -}}
{{- printf "http://%s:%d" (include "vrooli.componentName" .) (int $service.port) }}
{{- end }}

{{/*
Host of the database for Adminer: the primary, not the connection pool.
Usage: {{ include "vrooli.databaseHost" . }}
*/}}
{{- define "vrooli.databaseHost" -}}
{{- if .Values.pgoPostgresql.enabled -}}
{{- printf "%s-primary" .Values.pgoPostgresql.clusterName }}
{{- else -}}
{{- .Values.externalPostgresql.host }}
{{- end }}
{{- end }}

{{/*
Host of the database for the application: the connection pool.
Usage: {{ include "vrooli.poolHost" . }}
*/}}
{{- define "vrooli.poolHost" -}}
{{- if .Values.pgoPostgresql.enabled -}}
{{- printf "%s-pgbouncer" .Values.pgoPostgresql.clusterName }}
{{- else -}}
{{- .Values.externalPostgresql.host }}
{{- end }}
{{- end }}

{{/*
A value as text. Unlike toString, it doesn't render large numbers in scientific notation.
Usage: {{ include "vrooli.text" $value }}
*/}}
{{- define "vrooli.text" -}}
{{- kindIs "string" . | ternary . (toJson .) }}
{{- end }}

{{/*
Annotation of the PostgreSQL objects that Helm retains on uninstall.
Usage: {{- include "vrooli.retainAnnotations" . | nindent 2 }}
*/}}
{{- define "vrooli.retainAnnotations" -}}
{{- if .Values.pgoPostgresql.keepOnUninstall -}}
annotations:
  helm.sh/resource-policy: keep
{{- end }}
{{- end }}

{{/*
Data of the two ConfigMaps.
Usage: {{ include "vrooli.configData" . }} and {{ include "vrooli.connectionsData" . }}
*/}}
{{- define "vrooli.configData" -}}
NODE_ENV: {{ .Values.config.env | quote }}
VROOLI_ENV: {{ .Values.config.env | quote }}
LOG_LEVEL: {{ .Values.config.logLevel | quote }}
{{- range $name, $value := .Values.config.extra }}
{{ $name | quote }}: {{ include "vrooli.text" $value | quote }}
{{- end }}
{{- end }}

{{- define "vrooli.connectionsData" -}}
{{- $data := dict }}
{{- range include "vrooli.components" . | fromYamlArray }}
{{- if and .urlVariable (include "vrooli.isDeployed" (list $ .name)) }}
{{- $_ := set $data .urlVariable (include "vrooli.url" (list $ .name)) }}
{{- end }}
{{- end }}
{{- $_ := set $data "DB_HOST" (include "vrooli.poolHost" .) }}
{{- if .Values.pgoPostgresql.enabled }}
{{- $data = merge $data (dict "DB_PORT" "5432" "DB_SSLMODE" "require" "DB_VOLUME_SIZE" .Values.persistence.postgres.size) }}
{{- else }}
{{- $data = merge $data (dict "DB_PORT" (int .Values.externalPostgresql.port | toString) "DB_SSLMODE" .Values.externalPostgresql.sslmode) }}
{{- end }}
{{- if .Values.spotahomeRedis.enabled }}
{{- $data = merge $data (dict "REDIS_SENTINEL_HOSTS" (printf "rfs-%s:26379" .Values.spotahomeRedis.name) "REDIS_MASTER_NAME" "mymaster") }}
{{- else }}
{{- with .Values.externalRedis }}
{{- /* The password is in REDIS_PASSWORD, from Vault. A REDIS_URL from Vault takes precedence. */}}
{{- $_ := set $data "REDIS_URL" (printf "%s://%s:%d/0" (.tls | ternary "rediss" "redis") .host (int .port)) }}
{{- end }}
{{- end }}
{{- /* A variable of the user is in the other ConfigMap only, since this one would override it. */}}
{{- range $name, $value := $data }}
{{- if not (hasKey $.Values.config.extra $name) }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Scheduling fields of a database's pods; omits fields that are empty. PGO doesn't support nodeSelector.
Usage: {{- include "vrooli.scheduling" .Values.pgoPostgresql | nindent 6 }}
*/}}
{{- define "vrooli.scheduling" -}}
{{- with pick . "nodeSelector" "tolerations" "affinity" "priorityClassName" }}
{{- range $key, $value := . }}
{{- if $value }}
{{ dict $key $value | toYaml }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
