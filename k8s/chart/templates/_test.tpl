{{/*
A test Pod that runs a Python script against the live release; `helm test` fails when it does. The
script is given `ask(url)`, which tries until the answer is 200 or the limit has passed.
Usage: {{ include "vrooli.testPod" (dict "root" . "name" "server" "script" $script) }}
*/}}
{{- define "vrooli.testPod" -}}
{{- $root := .root -}}
{{- $server := $root.Values.services.server -}}
{{- with $root.Values.tests.image }}
{{- $image := dict "repository" (.repository | default $server.repository) "tag" (.tag | default $server.tag) }}
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "vrooli.fullname" $root }}-{{ $.name | kebabcase }}-test
  labels:
    {{- include "vrooli.labels" (list $root "test") | nindent 4 }}
  annotations:
    helm.sh/hook: test
    # A test that passed leaves nothing behind; one that failed stays, with what it printed.
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
What every test script starts with.
Usage: {{ include "vrooli.testPrelude" . }}
*/}}
{{- define "vrooli.testPrelude" -}}
import json, os, sys, time, urllib.error, urllib.request

def ask(url, data=None, headers={}, limit={{ .Values.tests.timeoutSeconds }}):
    """The answer's text and headers; tries again until the limit, seconds."""
    end = time.monotonic() + limit
    while True:
        try:
            request = urllib.request.Request(url, data=data, headers=headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.read().decode(), answer.headers
        except (urllib.error.URLError, OSError) as error:
            seen = error.read().decode() if hasattr(error, "read") else ""
            if time.monotonic() > end:
                sys.exit(f"FAILED: {url}: {error} {seen}")
            time.sleep(1)

def check(holds, wanted, found):
    """Ends the test when the claim doesn't hold."""
    if not holds:
        sys.exit(f"FAILED: wanted {wanted}, found {found!r}")
    print(f"ok: {wanted}")
{{- end }}

{{/*
What a test script has that sends a picture: `picture`, a plain grey square drawn here, and
`multipart_form(name=(filename, bytes), …)` with its header `multipart`.
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
    """A form's body; a field with a file name is a picture."""
    parts = []
    for name, (filename, data) in fields.items():
        head = f'Content-Disposition: form-data; name="{name}"'
        if filename:
            head += f'; filename="{filename}"\r\nContent-Type: image/png'
        parts.append(b"--boundary\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n")
    return b"".join(parts) + b"--boundary--\r\n"
{{ end }}
