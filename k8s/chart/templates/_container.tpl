{{/*
Annotations that the chart sets on a component's pods. The checksums restart the pods when a ConfigMap
that they read changes.
Usage: {{ include "vrooli.podAnnotations" (list . "server") | fromYaml }}
*/}}
{{- define "vrooli.podAnnotations" -}}
{{- $root := first . -}}
{{- $key := last . -}}
{{- range (include "vrooli.traits" . | fromYaml).configMaps }}
checksum/{{ . }}: {{ include (printf "vrooli.%sData" .) $root | sha256sum }}
{{- end }}
kubectl.kubernetes.io/default-container: {{ $key | kebabcase }}
{{- end }}

{{/*
One probe of a component's container. HTTP probes send their kind, so that a service can be alive but
not ready while a dependency is down.
Usage: {{ include "vrooli.probe" (dict "probes" $service.probes "kind" "liveness" "timing" "startup") }}
*/}}
{{- define "vrooli.probe" -}}
{{- if eq .probes.type "tcp" -}}
tcpSocket:
  port: http
{{- else -}}
httpGet:
  path: {{ get .probes (printf "%sPath" .kind) | quote }}
  port: http
  httpHeaders:
    - name: X-Probe
      value: {{ .kind }}
{{- end }}
{{ get .probes .timing | toYaml }}
{{- end }}

{{/*
Environment of a component's container. Secrets follow the ConfigMaps, so that values from Vault take
precedence.
Usage: {{ include "vrooli.environment" (list . "server") }}
*/}}
{{- define "vrooli.environment" -}}
{{- $root := first . -}}
{{- $key := last . -}}
{{- $service := get $root.Values.services $key -}}
{{- $traits := include "vrooli.traits" . | fromYaml -}}
{{- $values := dict
    "ADMINER_DEFAULT_SERVER" (include "vrooli.databaseHost" $root)
    "VROOLI_VERSION" ($service.tag | splitList "@" | first) -}}
env:
  - name: PORT
    value: {{ $service.port | quote }}
  {{- range $traits.variables }}
  - name: {{ . }}
    value: {{ get $values . | quote }}
  {{- end }}
  {{- range $name, $value := $service.extraEnv }}
  - name: {{ $name | quote }}
    value: {{ include "vrooli.text" $value | quote }}
  {{- end }}
{{- with $traits.configMaps }}
envFrom:
  {{- range . }}
  - configMapRef:
      name: {{ include "vrooli.fullname" $root }}-{{ . }}
  {{- end }}
  {{- range $traits.secrets }}
  {{- with get $root.Values.vso.secrets . }}
  {{- if .enabled }}
  - secretRef:
      name: {{ .k8sSecretName | quote }}
  {{- end }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
Resources of a component's container: CPU, memory and, if enabled, GPUs.
Usage: {{ include "vrooli.resources" $service }}
*/}}
{{- define "vrooli.resources" -}}
{{- $resources := deepCopy .resources -}}
{{- with .gpu }}
{{- if .enabled }}
{{- $_ := set $resources "limits" (set ($resources.limits | default dict) .type .count) }}
{{- end }}
{{- end }}
{{- toYaml $resources }}
{{- end }}
