{{/*
Start of a NetworkPolicy that denies all traffic not allowed by its rules. The policies of PostgreSQL
are retained together with its cluster; those of the migration exist before its Job.
Usage: {{ include "vrooli.policyHeader" (list . "server") }}
*/}}
{{- define "vrooli.policyHeader" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "vrooli.componentName" . | quote }}
  labels:
    {{- include "vrooli.labels" . | nindent 4 }}
  {{- if hasPrefix "postgres" (last .) }}
  {{- with include "vrooli.retainAnnotations" (first .) }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- end }}
  {{- if hasPrefix "migration" (last .) }}
  {{- include "vrooli.migrationHook" -1 | nindent 2 }}
  {{- end }}
spec:
  policyTypes: [Ingress, Egress]
{{- end }}

{{/*
Peers: all pods of a namespace, or the pods of one of the release's components.
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
Ports of a rule, TCP.
Usage: {{ include "vrooli.tcpPorts" (list 6379 26379) }}
*/}}
{{- define "vrooli.tcpPorts" -}}
ports:
{{- range . }}
  - {protocol: TCP, port: {{ . }}}
{{- end }}
{{- end }}

{{/*
Egress rule for the cluster's DNS.
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
Egress rule for the addresses of the internet, at TCP ports.
Usage: {{ include "vrooli.internetEgress" (list . (list 443)) }}
*/}}
{{- define "vrooli.internetEgress" -}}
{{- $private := (first .).Values.networkPolicies.internet.except -}}
- to:
    {{- range $all := list "0.0.0.0/0" "::/0" }}
    - ipBlock:
        cidr: {{ $all | quote }}
        except:
          {{- range $private }}
          {{- if eq (contains ":" .) (contains ":" $all) }}
          - {{ . | quote }}
          {{- end }}
          {{- end }}
    {{- end }}
  {{- include "vrooli.tcpPorts" (last .) | nindent 2 }}
{{- end }}

{{/*
Peers: addresses by CIDR.
Usage: {{ include "vrooli.cidrPeers" (list "10.0.0.0/8") }}
*/}}
{{- define "vrooli.cidrPeers" -}}
{{- range . }}
- ipBlock:
    cidr: {{ . | quote }}
{{- end }}
{{- end }}

{{/*
Egress rule for the Kubernetes API.
Usage: {{ include "vrooli.apiServerEgress" . }}
*/}}
{{- define "vrooli.apiServerEgress" -}}
- to:
    {{- include "vrooli.cidrPeers" .Values.networkPolicies.apiServer.cidrs | nindent 4 }}
  {{- include "vrooli.tcpPorts" .Values.networkPolicies.apiServer.ports | nindent 2 }}
{{- end }}

{{/*
The rule that lets a component connect to one of its targets. A NetworkPolicy can't name a host, so
the rule for a database outside the cluster allows every address at the database's port.
Usage: {{ include "vrooli.egressTo" (list . "postgres-pool") }}
*/}}
{{- define "vrooli.egressTo" -}}
{{- $root := first . -}}
{{- $target := last . -}}
{{- with $root.Values }}
{{- if hasPrefix "postgres-" $target }}
{{- if .pgoPostgresql.enabled }}
- to:
    - podSelector:
        {{- include "vrooli.postgresPods" $ | nindent 8 }}
  {{- include "vrooli.tcpPorts" (list 5432) | nindent 2 }}
{{- else }}
- {{ include "vrooli.tcpPorts" (list .externalPostgresql.port) | nindent 2 | trim }}
{{- end }}
{{- else if and (eq $target "redis") .spotahomeRedis.enabled }}
- to:
    - podSelector:
        {{- include "vrooli.redisPods" $root | nindent 8 }}
  {{- include "vrooli.tcpPorts" (list 6379 26379) | nindent 2 }}
{{- else if eq $target "redis" }}
- {{ include "vrooli.tcpPorts" (list .externalRedis.port) | nindent 2 | trim }}
{{- else if include "vrooli.isDeployed" $ }}
- to:
    {{- include "vrooli.componentPeer" $ | nindent 4 }}
  {{- include "vrooli.tcpPorts" (list (get .services $target).port) | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The pods behind one of PostgreSQL's two addresses, as a selector: those of the pool or the primary.
Usage: {{ include "vrooli.postgresPods" (list . "postgres-pool") }}
*/}}
{{- define "vrooli.postgresPods" -}}
matchLabels:
  postgres-operator.crunchydata.com/cluster: {{ (first .).Values.pgoPostgresql.clusterName | quote }}
matchExpressions:
  - key: postgres-operator.crunchydata.com/role
    operator: In
    {{- /* Patroni 4 calls the primary "primary", earlier versions "master". */}}
    values: {{ eq (last .) "postgres-primary" | ternary "[master, primary]" "[pgbouncer]" }}
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
Whether the Ingress or the Gateway exposes a service: "true" or nothing.
Usage: {{ if include "vrooli.isExposed" (list . "server" "ingress") }}
*/}}
{{- define "vrooli.isExposed" -}}
{{- $service := index . 1 -}}
{{- $isExposed := false -}}
{{- with get (first .).Values (last .) }}
{{- range .hosts }}
{{- range .paths }}
{{- $isExposed = or $isExposed (eq .service $service) }}
{{- end }}
{{- end }}
{{- if and .enabled $isExposed }}true{{ end }}
{{- end }}
{{- end }}

{{/*
The components that connect to this one, as peers.
Usage: {{ include "vrooli.clientPeers" (list . "redis") }}
*/}}
{{- define "vrooli.clientPeers" -}}
{{- $root := first . -}}
{{- range include "vrooli.clients" . | fromJsonArray | sortAlpha }}
{{ include "vrooli.componentPeer" (list $root .) }}
{{- end }}
{{- end }}
