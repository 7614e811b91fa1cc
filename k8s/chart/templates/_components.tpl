{{/*
The traits of each component whose pods the chart defines, in the order of the architecture. Every
other template reads them from here:
  name         the component's key, in `services` too unless it is the rotator or a test pod
  variables    environment variables that the chart sets, beside PORT
  configMaps   suffixes of the ConfigMaps that it reads; a change of one rolls its pods
  secrets      keys of `vso.secrets` that it reads
  urlVariable  the variable in which the other components find its URL
  connectsTo   components and databases that it opens connections to
  apiServer    whether it uses the Kubernetes API
YAML, since templates return text.
Usage: {{ range include "vrooli.components" . | fromYamlArray }}
*/}}
{{- define "vrooli.components" -}}
{{- $extra := .Values.networkPolicies.extraConnections }}
- name: ui
  variables: [VROOLI_VERSION]
  configMaps: [config]
  secrets: [sharedConfigAll]
  connectsTo: {{ concat (list "server") ($extra.ui | default list) | uniq | toJson }}
- name: server
  variables: [VROOLI_VERSION]
  configMaps: [config, connections]
  secrets: [sharedConfigAll, sharedSecretsServerJobs, postgres, redis]
  urlVariable: SERVER_URL
  connectsTo: {{ concat (list "postgres-pool" "redis") ($extra.server | default list) | uniq | toJson }}
- name: jobs
  variables: [VROOLI_VERSION]
  configMaps: [config, connections]
  secrets: [sharedConfigAll, sharedSecretsServerJobs, postgres, redis]
  urlVariable: JOBS_URL
  connectsTo: {{ concat (list "postgres-pool" "redis" "nsfwDetector") ($extra.jobs | default list) | uniq | toJson }}
- name: nsfwDetector
  urlVariable: NSFW_DETECTOR_URL
  {{- with $extra.nsfwDetector }}
  connectsTo: {{ toJson . }}
  {{- end }}
- name: adminer
  variables: [ADMINER_DEFAULT_SERVER]
  connectsTo: {{ concat (list "postgres-primary") ($extra.adminer | default list) | uniq | toJson }}
{{- if include "vrooli.hasRotator" . }}
{{- $databases := list }}
{{- if include "vrooli.isRotated" (list . "postgres") }}{{ $databases = append $databases "postgres-pool" }}{{ end }}
{{- if include "vrooli.isRotated" (list . "redis") }}{{ $databases = append $databases "redis" }}{{ end }}
- name: rotator
  connectsTo: [{{ join ", " $databases }}]
  apiServer: true
{{- end }}
- name: test
  connectsTo: [ui, server, jobs, nsfwDetector]
{{- end }}

{{/*
The traits of one component, as YAML.
Usage: {{ include "vrooli.traits" (list . "server") | fromYaml }}
*/}}
{{- define "vrooli.traits" -}}
{{- $key := last . -}}
{{- range include "vrooli.components" (first .) | fromYamlArray }}
{{- if eq .name $key }}{{ toYaml . }}{{ end }}
{{- end }}
{{- end }}

{{/*
Whether a component is deployed: "true" or nothing. Values can disable services only.
Usage: {{ if include "vrooli.isDeployed" (list . "server") }}
*/}}
{{- define "vrooli.isDeployed" -}}
{{- $services := (first .).Values.services -}}
{{- if or (not (hasKey $services (last .))) (get $services (last .)).enabled }}true{{ end }}
{{- end }}

{{/*
Whether a Job migrates the database: "true" or nothing. It runs in the server's image.
Usage: {{ if include "vrooli.hasMigration" . }}
*/}}
{{- define "vrooli.hasMigration" -}}
{{- if and .Values.migration.enabled .Values.services.server.enabled }}true{{ end }}
{{- end }}

{{/*
The components that connect to a component or a database. JSON, since templates return text.
Usage: {{ include "vrooli.clients" (list . "redis") | fromJsonArray }}
*/}}
{{- define "vrooli.clients" -}}
{{- $target := last . -}}
{{- $clients := list -}}
{{- range include "vrooli.components" (first .) | fromYamlArray }}
{{- if has $target .connectsTo }}
{{- $clients = append $clients .name }}
{{- end }}
{{- end }}
{{- toJson $clients }}
{{- end }}

{{/*
The kind of a component's workload: Deployment, or StatefulSet if its pods are numbered.
Usage: {{ include "vrooli.workloadKind" (list . "server") }}
*/}}
{{- define "vrooli.workloadKind" -}}
{{- dig (last .) "workload" "kind" "Deployment" (first .).Values.services }}
{{- end }}

{{/*
The workloads of the deployed ones among these components. JSON, since templates return text.
Usage: {{ include "vrooli.workloads" (list . (list "server" "jobs")) | fromJsonArray }}
*/}}
{{- define "vrooli.workloads" -}}
{{- $root := first . -}}
{{- $found := list -}}
{{- range last . }}
{{- if include "vrooli.isDeployed" (list $root .) }}
{{- $found = append $found (dict "kind" (include "vrooli.workloadKind" (list $root .)) "name" (include "vrooli.componentName" (list $root .))) }}
{{- end }}
{{- end }}
{{- toJson $found }}
{{- end }}

{{/*
The workloads that read a Secret, by its key in `vso.secrets`, as above.
Usage: {{ include "vrooli.readers" (list . "redis") | fromJsonArray }}
*/}}
{{- define "vrooli.readers" -}}
{{- $root := first . -}}
{{- $secret := last . -}}
{{- $keys := list -}}
{{- range include "vrooli.components" $root | fromYamlArray }}
{{- if has $secret .secrets }}
{{- $keys = append $keys .name }}
{{- end }}
{{- end }}
{{- include "vrooli.workloads" (list $root $keys) }}
{{- end }}
