{{/*
NetworkPolicy rules that the API server would reject.
*/}}
{{- define "vrooli.networkChecks" -}}
{{- range .Values.networkPolicies.apiServer.cidrs }}
{{- include "vrooli.cidrCheck" (list "networkPolicies.apiServer.cidrs" .) }}
{{- end }}
{{- range $key, $rules := .Values.networkPolicies.extraEgress }}
{{- $path := printf "networkPolicies.extraEgress.%s" $key }}
{{- range $rules }}
{{- range .ports }}
{{- if and .endPort (lt (int .endPort) (int .port)) }}
{{ $path }}: endPort {{ .endPort }} is less than port {{ .port }}
{{- end }}
{{- end }}
{{- range .to }}
{{- with .ipBlock }}
{{- range prepend (.except | default list) .cidr }}
{{- include "vrooli.cidrCheck" (list $path .) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Rejects an IPv4 CIDR with bits set beyond its prefix. The schema validates IPv6.
*/}}
{{- define "vrooli.cidrCheck" -}}
{{- $cidr := last . }}
{{- if not (contains ":" $cidr) }}
{{- $address := 0 }}
{{- range regexFindAll "[0-9]+" (splitList "/" $cidr | first) -1 }}
{{- $address = add (mul $address 256) (int .) }}
{{- end }}
{{- $size := 1 }}
{{- range until (sub 32 (splitList "/" $cidr | last | int) | int) }}
{{- $size = mul $size 2 }}
{{- end }}
{{- if mod $address $size }}
{{ first . }}: {{ $cidr }} has bits set beyond its prefix
{{- end }}
{{- end }}
{{- end }}
