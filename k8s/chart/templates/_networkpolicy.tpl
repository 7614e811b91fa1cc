{{/*
The architecture's arrows between pods: what each component connects to. The tests connect to each
service that they test. JSON, since templates give text.
Usage: {{ include "vrooli.arrows" . | fromJson }}
*/}}
{{- define "vrooli.arrows" -}}
{
  {{- if include "vrooli.hasRotator" . }}
  "rotator": [
    {{- $targets := list }}
    {{- range list "postgres" "redis" }}
    {{- if include "vrooli.isRotated" (list $ .) }}{{ $targets = append $targets (quote .) }}{{ end }}
    {{- end }}
    {{- join ", " $targets }}],
  {{- end }}
  "ui": ["server"],
  "server": ["postgres", "redis"],
  "jobs": ["postgres", "redis", "nsfwDetector"],
  "nsfwDetector": [],
  "adminer": ["postgres"],
  "test": ["ui", "server", "jobs", "nsfwDetector"]
}
{{- end }}

{{/*
A NetworkPolicy's head, which closes both directions for the pods that it selects. Those of
PostgreSQL stay as long as it does.
Usage: {{ include "vrooli.policyHead" (list . "server") }}
*/}}
{{- define "vrooli.policyHead" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "vrooli.componentName" . | quote }}
  labels:
    {{- include "vrooli.labels" . | nindent 4 }}
  {{- if hasPrefix "postgres" (last .) }}
  {{- with include "vrooli.kept" (first .) }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- end }}
spec:
  policyTypes: [Ingress, Egress]
{{- end }}

{{/*
Every pod of a namespace, or the pods of one of the release's components, as a peer.
Usage: {{ include "vrooli.namespacePeer" "kube-system" }}
       {{ include "vrooli.componentPeer" (list . "server") }}
*/}}
{{- define "vrooli.namespacePeer" -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ . | quote }}
{{- end }}

{{- define "vrooli.componentPeer" -}}
- podSelector:
    matchLabels:
      {{- include "vrooli.selectorLabels" . | nindent 6 }}
{{- end }}

{{/*
TCP ports of a rule.
Usage: {{ include "vrooli.tcpPorts" (list 6379 26379) }}
*/}}
{{- define "vrooli.tcpPorts" -}}
ports:
{{- range . }}
  - {protocol: TCP, port: {{ . }}}
{{- end }}
{{- end }}

{{/*
The way to the cluster's DNS.
Usage: {{ include "vrooli.dnsEgress" . }}
*/}}
{{- define "vrooli.dnsEgress" -}}
- to:
    {{- include "vrooli.namespacePeer" .Values.networkPolicies.dnsNamespace | nindent 4 }}
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end }}

{{/*
The way to the Kubernetes API.
Usage: {{ include "vrooli.apiServerEgress" . }}
*/}}
{{- define "vrooli.apiServerEgress" -}}
- to:
    - ipBlock:
        cidr: {{ .Values.networkPolicies.apiServer.cidr | quote }}
  {{- include "vrooli.tcpPorts" .Values.networkPolicies.apiServer.ports | nindent 2 }}
{{- end }}

{{/*
The way from a component to the end of one of its arrows. Policies know no names, so a database
outside the cluster is any address at its port.
Usage: {{ include "vrooli.arrowEgress" (list . "server" "postgres") }}
*/}}
{{- define "vrooli.arrowEgress" -}}
{{- $root := first . -}}
{{- $target := last . -}}
{{- with $root.Values }}
{{- if and (eq $target "postgres") .pgoPostgresql.enabled }}
- to:
    - podSelector:
        {{- include "vrooli.postgresPods" (list $root (index $ 1)) | nindent 8 }}
  {{- include "vrooli.tcpPorts" (list 5432) | nindent 2 }}
{{- else if eq $target "postgres" }}
- {{ include "vrooli.tcpPorts" (list .externalPostgresql.port) | nindent 2 | trim }}
{{- else if and (eq $target "redis") .spotahomeRedis.enabled }}
- to:
    - podSelector:
        {{- include "vrooli.redisPods" $root | nindent 8 }}
  {{- include "vrooli.tcpPorts" (list 6379 26379) | nindent 2 }}
{{- else if eq $target "redis" }}
- {{ include "vrooli.tcpPorts" (list .externalRedis.port) | nindent 2 | trim }}
{{- else if (get .services $target).enabled }}
- to:
    {{- include "vrooli.componentPeer" (list $root $target) | nindent 4 }}
  {{- include "vrooli.tcpPorts" (list (get .services $target).port) | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The pods of PostgreSQL that a component connects to, as a selector: Adminer the primary, the others
the pool.
Usage: {{ include "vrooli.postgresPods" (list . "server") }}
*/}}
{{- define "vrooli.postgresPods" -}}
matchLabels:
  postgres-operator.crunchydata.com/cluster: {{ (first .).Values.pgoPostgresql.clusterName | quote }}
matchExpressions:
  - key: postgres-operator.crunchydata.com/role
    operator: In
    {{- /* Patroni 4 says primary where those before it said master. */}}
    values: {{ eq (last .) "adminer" | ternary "[master, primary]" "[pgbouncer]" }}
{{- end }}

{{/*
The pods of Redis and Sentinel, as a selector.
Usage: {{ include "vrooli.redisPods" . }}
*/}}
{{- define "vrooli.redisPods" -}}
matchLabels:
  app.kubernetes.io/name: {{ .Values.spotahomeRedis.name | quote }}
matchExpressions:
  - key: app.kubernetes.io/component
    operator: In
    values: [redis, sentinel]
{{- end }}

{{/*
Whether the Ingress leads to a service: "true" or nothing.
Usage: {{ if include "vrooli.isExposed" (list . "server") }}
*/}}
{{- define "vrooli.isExposed" -}}
{{- $service := last . -}}
{{- $found := false -}}
{{- with (first .).Values.ingress }}
{{- range .hosts }}
{{- range .paths }}
{{- $found = or $found (eq .service $service) }}
{{- end }}
{{- end }}
{{- if and .enabled $found }}true{{ end }}
{{- end }}
{{- end }}

{{/*
The components whose arrows end at this one, as peers.
Usage: {{ include "vrooli.arrowPeers" (list . "redis") }}
*/}}
{{- define "vrooli.arrowPeers" -}}
{{- $root := first . -}}
{{- $target := last . -}}
{{- range $key, $targets := include "vrooli.arrows" $root | fromJson }}
{{- if has $target $targets }}
{{ include "vrooli.componentPeer" (list $root $key) }}
{{- end }}
{{- end }}
{{- end }}
