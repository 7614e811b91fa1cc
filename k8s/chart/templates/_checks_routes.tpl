{{/*
Rejects paths to disabled services.
Usage: {{ include "vrooli.routeChecks" (list . "ingress") }}
*/}}
{{- define "vrooli.routeChecks" -}}
{{- $services := (first .).Values.services }}
{{- $kind := last . }}
{{- range (get (first .).Values $kind).hosts }}
{{- range .paths }}
{{- if not (get $services .service).enabled }}
{{ $kind }}.hosts: path {{ .path }} refers to the service {{ .service | quote }}, which is disabled
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Rejects HTTPRoutes that the API server or a Gateway would reject, and hosts that are also in the
Ingress: of two controllers, DNS decides which one serves them.
*/}}
{{- define "vrooli.gatewayChecks" -}}
{{- include "vrooli.routeChecks" (list . "gateway") }}
{{- $ingressHosts := list }}
{{- if and .Values.ingress.enabled (not .Values.gateway.shareIngressHosts) }}
{{- range .Values.ingress.hosts }}
{{- $ingressHosts = append $ingressHosts .host }}
{{- end }}
{{- end }}
{{- $hosts := list }}
{{- range .Values.gateway.hosts }}
{{- $name := .host | default "the empty host" }}
{{- if has .host $hosts }}
gateway.hosts: {{ $name }} is listed twice
{{- end }}
{{- if has .host $ingressHosts }}
gateway.hosts: {{ $name }} is also in ingress.hosts; remove it from one, or set gateway.shareIngressHosts
{{- end }}
{{- $hosts = append $hosts .host }}
{{- end }}
{{- $sections := dict }}
{{- range .Values.gateway.parentRefs }}
{{- $gateway := printf "%s/%s" (.namespace | default $.Release.Namespace) .name }}
{{- $_ := set $sections $gateway (append (get $sections $gateway | default list) (.sectionName | default "")) }}
{{- end }}
{{- range $gateway, $names := $sections }}
{{- if and (gt (len $names) 1) (or (has "" $names) (ne (len $names) (uniq $names | len))) }}
gateway.parentRefs: {{ $gateway }} is listed {{ len $names }} times; each needs a sectionName of its own
{{- end }}
{{- end }}
{{- end }}
