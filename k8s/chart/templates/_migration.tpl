{{/*
Annotations of the objects of the migration, which Helm creates before an upgrade in the order of their
weights. They are kept until the next upgrade, as long as a pod of the Job may run.
Usage: {{ include "vrooli.migrationHook" -1 }}
*/}}
{{- define "vrooli.migrationHook" -}}
annotations:
  helm.sh/hook: pre-upgrade
  helm.sh/hook-weight: {{ . | quote }}
  helm.sh/hook-delete-policy: before-hook-creation
{{- end }}
