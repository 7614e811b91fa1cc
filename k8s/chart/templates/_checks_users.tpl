{{/*
Rejects options of users that PGO's definition or ALTER ROLE refuses: PGO would change no user at all.
*/}}
{{- define "vrooli.userChecks" -}}
{{- $flags := "(NO)?(SUPERUSER|CREATEDB|CREATEROLE|INHERIT|LOGIN|REPLICATION|BYPASSRLS)" }}
{{- $limits := "CONNECTION +LIMIT +(-1|[0-9]{1,9})|VALID +UNTIL +'(INFINITY|[0-9]{4}-[0-9]{2}-[0-9]{2}[0-9T :.+Z-]*)'" }}
{{- range $index, $user := .Values.pgoPostgresql.users }}
{{- $path := printf "pgoPostgresql.users.%d" $index }}
{{- $options := $user.options | default "" | upper }}
{{- $names := regexFindAll "SUPERUSER|CREATEDB|CREATEROLE|INHERIT|LOGIN|REPLICATION|BYPASSRLS|CONNECTION|VALID" $options -1 }}
{{- if has $user.name (list "public" "none") }}
{{ $path }}.name: {{ $user.name }} is a reserved word of PostgreSQL
{{- end }}
{{- if contains "PASSWORD" $options }}
{{ $path }}.options: PASSWORD is not allowed; the password comes from vso.secrets.postgres
{{- else if contains "--" $options }}
{{ $path }}.options: a comment (--) is not allowed
{{- else if not (regexMatch (printf "^ *((%s|%s)( +|$))*$" $flags $limits) $options) }}
{{ $path }}.options: {{ $user.options }} is not a list of role attributes of PostgreSQL
{{- else if ne (len $names) (uniq $names | len) }}
{{ $path }}.options: {{ $user.options }} sets an attribute twice
{{- else if not $index }}
{{- include "vrooli.poolChecks" (list $path $user.name $options) }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Rejects a first user that can't connect through pgBouncer. Its lookup in PGO excludes superusers,
roles with REPLICATION, roles that can't log in, and roles that have expired.
*/}}
{{- define "vrooli.poolChecks" -}}
{{- $path := index . 0 }}
{{- if eq (index . 1) "postgres" }}
{{ $path }}.name: postgres is a superuser, which pgBouncer refuses; the application connects as the first user
{{- end }}
{{- with regexFind "(^| )(SUPERUSER|REPLICATION|NOLOGIN)( |$)" (last .) }}
{{ $path }}.options: pgBouncer refuses users with {{ trim . }}; the application connects as the first user
{{- end }}
{{- if regexMatch "VALID +UNTIL +'[0-9]" (last .) }}
{{ $path }}.options: pgBouncer refuses the user after the date of VALID UNTIL; the application connects as the first user
{{- end }}
{{- end }}
