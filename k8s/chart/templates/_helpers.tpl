{{/*
Name of the application, as in the labels.
Usage: {{ include "vrooli.name" . }}
*/}}
{{- define "vrooli.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
Prefix of the resource names: the release's name, unless overridden. The longest component suffix
has 14 characters and names of Services end at 63, so a longer prefix is cut and made unique again;
so is one with dots, which a release's name may have and that of a Service may not.
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
Name of one component's resources; the key nsfwDetector becomes nsfw-detector.
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
{{- end }}

{{/*
An image: a short repository is combined with the registry, one with a slash is a full path.
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
The pull secret that every pod names, as a list item.
Usage: {{ include "vrooli.imagePullSecrets" . }}
*/}}
{{- define "vrooli.imagePullSecrets" -}}
{{- with .Values.vso.secrets.dockerhubPullSecret }}
{{- if .enabled -}}
imagePullSecrets:
  - name: {{ .k8sSecretName | quote }}
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
Host of the database that Adminer opens: the primary itself, not the pool.
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
A setting as text; a number as it was written, where toString would make 5e+06 of five million.
Usage: {{ include "vrooli.text" $value }}
*/}}
{{- define "vrooli.text" -}}
{{- kindIs "string" . | ternary . (toJson .) }}
{{- end }}

{{/*
The annotation of PostgreSQL's objects that outlive the release: the cluster, what it reads and what
guards it.
Usage: {{- include "vrooli.kept" . | nindent 2 }}
*/}}
{{- define "vrooli.kept" -}}
{{- if .Values.pgoPostgresql.keepOnUninstall -}}
annotations:
  helm.sh/resource-policy: keep
{{- end }}
{{- end }}

{{/*
The two ConfigMaps' data; also what a change of which rolls the pods.
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
{{- range include "vrooli.components" . | fromYamlArray }}
{{- if and .urlVariable (include "vrooli.isDeployed" (list $ .name)) }}
{{ .urlVariable }}: {{ include "vrooli.url" (list $ .name) | quote }}
{{- end }}
{{- end }}
{{- if .Values.pgoPostgresql.enabled }}
DB_HOST: "{{ .Values.pgoPostgresql.clusterName }}-pgbouncer"
DB_PORT: "5432"
DB_SSLMODE: require
{{- else }}
DB_HOST: {{ .Values.externalPostgresql.host | quote }}
DB_PORT: {{ .Values.externalPostgresql.port | quote }}
DB_SSLMODE: {{ .Values.externalPostgresql.sslmode }}
{{- end }}
{{- if .Values.spotahomeRedis.enabled }}
REDIS_SENTINEL_HOSTS: rfs-{{ .Values.spotahomeRedis.name }}:26379
REDIS_MASTER_NAME: mymaster
{{- else }}
{{- with .Values.externalRedis }}
{{- /* The password comes by REDIS_PASSWORD, from Vault; a REDIS_URL from there wins. */}}
REDIS_URL: "{{ .tls | ternary "rediss" "redis" }}://{{ .host }}:{{ .port }}/0"
{{- end }}
{{- end }}
{{- end }}

{{/*
On which nodes the pods of a database run, and how important they are; nothing where the values say
nothing. PGO knows no nodeSelector, so its values have none.
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
