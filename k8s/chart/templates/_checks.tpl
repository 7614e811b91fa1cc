{{/*
Rules that the schema can't express, since they compare two values. Returns one message per line.
Usage: {{ include "vrooli.checks" . }}
*/}}
{{- define "vrooli.checks" -}}
{{- range $key, $service := .Values.services }}
{{- include "vrooli.autoscalingChecks" (list $key $service) }}
{{- if ge (int $service.drainSeconds) (int $service.terminationGracePeriodSeconds) }}
services.{{ $key }}.drainSeconds: {{ $service.drainSeconds }} must be less than terminationGracePeriodSeconds, {{ $service.terminationGracePeriodSeconds }}
{{- end }}
{{- end }}
{{- include "vrooli.resourceChecks" . }}
{{- include "vrooli.podChecks" . }}
{{- include "vrooli.databaseChecks" . }}
{{- include "vrooli.networkChecks" . }}
{{- include "vrooli.secretChecks" . }}
{{- if .Values.ingress.enabled }}
{{- include "vrooli.ingressChecks" . }}
{{- end }}
{{- if .Values.gateway.enabled }}
{{- include "vrooli.gatewayChecks" . }}
{{- end }}
{{- end }}

{{- define "vrooli.autoscalingChecks" -}}
{{- $path := printf "services.%s.autoscaling" (first .) }}
{{- with (last .).autoscaling }}
{{- if and (or .enabled .keda.enabled) (gt (int .minReplicas) (int .maxReplicas)) }}
{{ $path }}.minReplicas: {{ .minReplicas }} is greater than maxReplicas, {{ .maxReplicas }}
{{- end }}
{{- if and .enabled .keda.enabled }}
{{ $path }}.keda.enabled: conflicts with {{ $path }}.enabled: KEDA creates a HorizontalPodAutoscaler of its own
{{- end }}
{{- if and .keda.enabled (not .keda.triggers) }}
{{ $path }}.keda.triggers: KEDA requires at least one
{{- end }}
{{- if and .enabled (not (or (int .targetCPUUtilizationPercentage) (int .targetMemoryUtilizationPercentage) .externalMetrics)) }}
{{ $path }}.enabled: requires a target of CPU or memory, or an external metric
{{- end }}
{{- end }}
{{- end }}

{{- define "vrooli.ingressChecks" -}}
{{- $hosts := list }}
{{- range .Values.ingress.hosts }}
{{- $hosts = append $hosts .host }}
{{- end }}
{{- include "vrooli.routeChecks" (list . "ingress") }}
{{- /* A rule without a host and a wildcard certificate match other names too. */}}
{{- range .Values.ingress.tls }}
{{- range .hosts }}
{{- if not (or (has . $hosts) (has "" $hosts) (hasPrefix "*." .)) }}
ingress.tls: {{ . }} is not in ingress.hosts
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.ingress.className (hasKey .Values.ingress.annotations "kubernetes.io/ingress.class") }}
ingress.annotations: kubernetes.io/ingress.class conflicts with ingress.className
{{- end }}
{{- range $name, $value := .Values.ingress.annotations }}
{{- if and $.Values.ingress.certManager.issuer (has $name (list "cert-manager.io/issuer" "cert-manager.io/cluster-issuer")) }}
ingress.annotations: {{ $name }} conflicts with ingress.certManager.issuer
{{- end }}
{{- end }}
{{- end }}

{{- define "vrooli.databaseChecks" -}}
{{- $users := list }}
{{- range .Values.pgoPostgresql.users }}
{{- if has .name $users }}
pgoPostgresql.users: {{ .name }} is listed twice
{{- end }}
{{- $users = append $users .name }}
{{- end }}
{{- include "vrooli.userChecks" . }}
{{- if include "vrooli.isRotated" (list . "postgres") }}
{{- include "vrooli.alternateChecks" (list . $users) }}
{{- end }}
{{- include "vrooli.backupChecks" . }}
{{- end }}

{{/*
Rules of the second login role: its name must be free, and its sessions must stay in the first role.
*/}}
{{- define "vrooli.alternateChecks" -}}
{{- $root := first . -}}
{{- $users := last . -}}
{{- $alternate := include "vrooli.alternateUser" $root }}
{{- if has $alternate $users }}
pgoPostgresql.users: {{ $alternate }} is reserved as the second login role of {{ first $users }} for password rotation
{{- end }}
{{- if contains "DISCARD ALL" (dig "server_reset_query" "" $root.Values.pgoPostgresql.pgBouncer.config | upper) }}
pgoPostgresql.pgBouncer.config.server_reset_query: DISCARD ALL resets the role that the second login role's sessions use; use RESET ROLE instead
{{- end }}
{{- end }}

{{- define "vrooli.secretChecks" -}}
{{- $isProtected := has .Values.config.env (list "staging" "production") }}
{{- if and .Values.vso.enabled $isProtected (hasPrefix "http:" .Values.vso.vaultAddr) (not .Values.vso.allowHttp) }}
vso.vaultAddr: {{ .Values.vso.vaultAddr }} sends secrets without encryption in {{ .Values.config.env }}; set an https address with vso.caCertSecretName, or set vso.allowHttp to true
{{- end }}
{{- if and .Values.vso.enabled $isProtected .Values.vso.skipTLSVerify }}
vso.skipTLSVerify: accepts any certificate as Vault's in {{ .Values.config.env }}; set it to false, and vso.caCertSecretName to a Secret with the CA that signed Vault's certificate
{{- end }}
{{- $owners := dict }}
{{- range $key, $secret := .Values.vso.secrets }}
{{- if $secret.enabled }}
{{- with get $owners $secret.k8sSecretName }}
vso.secrets.{{ $key }}.k8sSecretName: {{ $secret.k8sSecretName }} is already used by vso.secrets.{{ . }}
{{- end }}
{{- $_ := set $owners $secret.k8sSecretName $key }}
{{- $source := include "vrooli.sourceSecret" (list $ $key) }}
{{- if and (ne $source $secret.k8sSecretName) (hasKey $owners $source) }}
vso.secrets.{{ get $owners $source }}.k8sSecretName: {{ $source }} is reserved for the rotator, which reads the secret of vso.secrets.{{ $key }} from it
{{- end }}
{{- if gt (len $source) 253 }}
vso.secrets.{{ $key }}.k8sSecretName: {{ $source }}, the name of the synced Secret, has more than 253 characters
{{- end }}
{{- $_ := set $owners $source $key }}
{{- end }}
{{- end }}
{{- range $name, $secret := .Values.vso.extraSecrets }}
{{- with get $owners $name }}
vso.extraSecrets.{{ $name }}: this name is already used by vso.secrets.{{ . }}
{{- end }}
{{- end }}
{{- end }}
