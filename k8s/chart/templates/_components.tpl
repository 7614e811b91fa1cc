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
- name: ui
  variables: [VROOLI_VERSION]
  configMaps: [config]
  secrets: [sharedConfigAll]
  connectsTo: [server]
- name: server
  variables: [VROOLI_VERSION]
  configMaps: [config, connections]
  secrets: [sharedConfigAll, sharedSecretsServerJobs, postgres, redis]
  urlVariable: SERVER_URL
  connectsTo: [postgres-pool, redis]
- name: jobs
  variables: [VROOLI_VERSION]
  configMaps: [config, connections]
  secrets: [sharedConfigAll, sharedSecretsServerJobs, postgres, redis]
  urlVariable: JOBS_URL
  connectsTo: [postgres-pool, redis, nsfwDetector]
- name: nsfwDetector
  urlVariable: NSFW_DETECTOR_URL
- name: adminer
  variables: [ADMINER_DEFAULT_SERVER]
  connectsTo: [postgres-primary]
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
The Deployments that read a Secret, by its key in `vso.secrets`. JSON, since templates return text.
Usage: {{ include "vrooli.readers" (list . "redis") | fromJsonArray }}
*/}}
{{- define "vrooli.readers" -}}
{{- $root := first . -}}
{{- $secret := last . -}}
{{- $names := list -}}
{{- range include "vrooli.components" $root | fromYamlArray }}
{{- if and (has $secret .secrets) (include "vrooli.isDeployed" (list $root .name)) }}
{{- $names = append $names (include "vrooli.componentName" (list $root .name)) }}
{{- end }}
{{- end }}
{{- toJson $names }}
{{- end }}
