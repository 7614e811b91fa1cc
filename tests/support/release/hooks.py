"""A hook for artifacts of tests: a migration before an upgrade, which fails."""

FAILING = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-migrate
  annotations:
    helm.sh/hook: pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  template:
    spec:
      restartPolicy: OnFailure
      automountServiceAccountToken: false
      securityContext: {{ toYaml .Values.podSecurityContext | nindent 8 }}
      containers:
        - name: migrate
          image: {{ include "vrooli.image" (list . .Values.services.server) | quote }}
          securityContext: {{ toYaml .Values.containerSecurityContext | nindent 12 }}
          command: [python3, -c, "raise SystemExit('no such column')"]
"""
