{{/*
A test Pod that runs a Python script against the release. `helm test` fails if the script fails. The
script can use the functions of vrooli.testPrelude.
Usage: {{ include "vrooli.testPod" (dict "root" . "name" "server" "script" $script) }}
*/}}
{{- define "vrooli.testPod" -}}
{{- $root := .root -}}
{{- $server := $root.Values.services.server -}}
{{- with $root.Values.tests.image }}
{{- /* A digest of the server's repository does not exist in another repository. */}}
{{- $serverTag := ternary ($server.tag | splitList "@" | first) $server.tag (not (empty .repository)) }}
{{- $image := dict "repository" (.repository | default $server.repository) "tag" (.tag | default $serverTag) }}
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "vrooli.fullname" $root }}-{{ $.name | kebabcase }}-test
  labels:
    {{- include "vrooli.labels" (list $root "test") | nindent 4 }}
  annotations:
    helm.sh/hook: test
    # Delete the Pod if the test succeeds. Retain it with its logs if the test fails.
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- include "vrooli.imagePullSecrets" $root | nindent 2 }}
  securityContext:
    {{- toYaml $root.Values.podSecurityContext | nindent 4 }}
  terminationGracePeriodSeconds: 5
  containers:
    - name: test
      image: {{ include "vrooli.image" (list $root $image) | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      securityContext:
        {{- toYaml $root.Values.containerSecurityContext | nindent 8 }}
      resources:
        requests: {cpu: 10m, memory: 32Mi}
        limits: {cpu: 500m, memory: 128Mi}
      {{- with $.envFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      command: [python3, -c]
      args:
        - |
          {{- include "vrooli.testPrelude" $root | nindent 10 }}
          {{- $.script | nindent 10 }}
{{- end }}
{{- end }}

{{/*
Functions for every test script: `fetch(url)` retries until the response is 200 or the limit has
passed; `check` fails the test if a condition is false.
Usage: {{ include "vrooli.testPrelude" . }}
*/}}
{{- define "vrooli.testPrelude" -}}
import json, os, sys, time, urllib.error, urllib.request

def fetch(url, data=None, headers={}, limit={{ .Values.tests.timeoutSeconds }}):
    """Returns the body and headers of a response; retries until the limit, in seconds."""
    end = time.monotonic() + limit
    while True:
        try:
            request = urllib.request.Request(url, data=data, headers=headers)
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.read().decode(), response.headers
        except (urllib.error.URLError, OSError) as error:
            body = error.read().decode() if hasattr(error, "read") else ""
            if time.monotonic() > end:
                sys.exit(f"FAILED: {url}: {error} {body}")
            time.sleep(1)

def check(passed, expectation, actual):
    """Fails the test unless the expectation is met."""
    if not passed:
        sys.exit(f"FAILED: expected {expectation}, got {actual!r}")
    print(f"ok: {expectation}")
{{- end }}

{{/*
Definitions for a test script that uploads a picture: `picture`, a grey square as PNG,
`multipart_form(name=(filename, bytes), …)` and its header `multipart`.
Usage: {{ include "vrooli.testPicture" . }}
*/}}
{{- define "vrooli.testPicture" -}}
import struct, zlib

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

size = 64
rows = (b"\0" + b"\x80" * 3 * size) * size
picture = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(rows))
    + chunk(b"IEND", b"")
)
multipart = {"Content-Type": "multipart/form-data; boundary=boundary"}

def multipart_form(**fields):
    """Encodes a form; a field with a file name is a PNG file."""
    parts = []
    for name, (filename, data) in fields.items():
        head = f'Content-Disposition: form-data; name="{name}"'
        if filename:
            head += f'; filename="{filename}"\r\nContent-Type: image/png'
        parts.append(b"--boundary\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n")
    return b"".join(parts) + b"--boundary--\r\n"
{{ end }}
