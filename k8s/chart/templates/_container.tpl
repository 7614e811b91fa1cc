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
Environment of a component's container. Of two settings with the same name, the later one takes
precedence: config.extra replaces the chart's addresses; Secrets follow the ConfigMaps, and sources of
the user follow both; variables precede all of them. `$(NAME)` is replaced only with a variable that
is defined earlier, so those with `$(` are last.
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
  {{- range $name, $source := $service.pod.variables }}
  - name: {{ $name | quote }}
    valueFrom:
      {{- toYaml $source | nindent 6 }}
  {{- end }}
  {{- $expanded := dict }}
  {{- range $name, $value := $service.extraEnv }}
  {{- $text := include "vrooli.text" $value }}
  {{- if contains "$(" $text }}
  {{- $_ := set $expanded $name $text }}
  {{- else }}
  - name: {{ $name | quote }}
    value: {{ $text | quote }}
  {{- end }}
  {{- end }}
  {{- range $name, $text := $expanded }}
  - name: {{ $name | quote }}
    value: {{ $text | quote }}
  {{- end }}
{{- with include "vrooli.environmentSources" . | trim }}
envFrom:
  {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "vrooli.environmentSources" -}}
{{- $root := first . -}}
{{- $key := last . -}}
{{- $traits := include "vrooli.traits" . | fromYaml -}}
{{- range $traits.configMaps }}
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
{{- range $name, $secret := $root.Values.vso.extraSecrets }}
{{- if has $key ($secret.readers | default list) }}
- secretRef:
    name: {{ $name | quote }}
{{- end }}
{{- end }}
{{- with (get $root.Values.services $key).pod.envFrom }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/*
The directories of a component's containers: writablePaths as emptyDir volumes, and pod.volumes. A path
in both is the volume of the user.
Usage: {{ include "vrooli.volumeMounts" $service }} and {{ include "vrooli.volumes" $service }}
*/}}
{{- define "vrooli.volumeMounts" -}}
{{- $volumes := .pod.volumes | default dict -}}
{{- range $index, $path := .writablePaths }}
{{- if not (hasKey $volumes $path) }}
- name: writable-{{ $index }}
  mountPath: {{ $path | quote }}
{{- end }}
{{- end }}
{{- range $index, $path := keys $volumes | sortAlpha }}
- name: extra-{{ $index }}
  mountPath: {{ $path | quote }}
  {{- with get $volumes $path }}
  {{- if or .secret .configMap (dig "persistentVolumeClaim" "readOnly" false .) }}
  readOnly: true
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "vrooli.volumes" -}}
{{- $volumes := .pod.volumes | default dict -}}
{{- range $index, $path := .writablePaths }}
{{- if not (hasKey $volumes $path) }}
- name: writable-{{ $index }}
  emptyDir:
    sizeLimit: 256Mi
{{- end }}
{{- end }}
{{- range $index, $path := keys $volumes | sortAlpha }}
- name: extra-{{ $index }}
  {{- toYaml (get $volumes $path) | nindent 2 }}
{{- end }}
{{- end }}

{{/*
The init containers of a component's pods, with the image, environment and volumes of the component.
Usage: {{ include "vrooli.initContainers" (list . "server") }}
*/}}
{{- define "vrooli.initContainers" -}}
{{- $root := first . -}}
{{- $component := . -}}
{{- $service := get $root.Values.services (last .) -}}
{{- range $name, $container := $service.pod.initContainers }}
- name: init-{{ $name }}
  image: {{ $container.image | default (include "vrooli.image" (list $root $service)) | quote }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command:
    {{- toYaml $container.command | nindent 4 }}
  securityContext:
    {{- toYaml $root.Values.containerSecurityContext | nindent 4 }}
  {{- include "vrooli.environment" $component | nindent 2 }}
  resources:
    {{- toYaml $service.resources | nindent 4 }}
  {{- with include "vrooli.volumeMounts" $service | trim }}
  volumeMounts:
    {{- . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
The container that prints log files of a component, as they grow and rotate. `tail` as the first process
of a container would ignore SIGTERM, so a shell ends it.
Usage: {{ include "vrooli.logContainer" (list . $service) }}
*/}}
{{- define "vrooli.logContainer" -}}
{{- $root := first . -}}
{{- $service := last . -}}
- name: log-files
  image: {{ include "vrooli.image" (list $root $service) | quote }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command: [sh, -c, 'tail -n +1 -q -F "$@" & trap "kill $!" TERM; wait', log-files]
  args:
    {{- toYaml $service.pod.logFiles | nindent 4 }}
  securityContext:
    {{- toYaml $root.Values.containerSecurityContext | nindent 4 }}
  resources:
    requests: {cpu: 5m, memory: 16Mi}
    limits: {cpu: 100m, memory: 64Mi}
  {{- with include "vrooli.volumeMounts" $service | trim }}
  volumeMounts:
    {{- . | nindent 4 }}
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
