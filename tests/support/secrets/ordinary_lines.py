# ruff: noqa: E501 - the forms of lines stand here as programs write them
"""Ordinary lines of the logs of the product's parts, drawn from the forms that they write."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator

SEED = 29
_NOW = "2026-11-28T10:{m:02}:{s:02}"
_FORMS = (
    # Services.
    '{{"time": "{iso}.123+00:00", "level": "info", "logger": "uvicorn.access", "message": '
    '"{ip}:{port} - GET /api/posts?page={n}&size=20 HTTP/1.1 200", "request_id": "{uuid}"}}',
    '{{"time": "{iso}.123+00:00", "level": "info", "logger": "saq", "message": "Finished Job<'
    "function: moderate, kwargs: {{'post_id': '{uuid}'}}, queue: moderation, id: saq:job:moderation:"
    '{uuid}, scheduled: 0, progress: 1.0, process_ms: {n}, attempts: 1>"}}',
    '{{"time": "{iso}.123+00:00", "level": "warning", "logger": "vrooli", "message": "the database '
    'refused a connection: password authentication failed for user \\"vrooli\\""}}',
    '{ip} - - [28/Nov/2026:10:{m:02}:{s:02} +0000] "POST /api/posts/{uuid}/like HTTP/1.1" 201 {n}',
    "rotator: Secret {ns}/vrooli-postgres-creds has version {n}, waits for PostgresCluster/vrooli-pg",
    "rotator: password of role vrooli-alternate was changed in {n} ms",
    # PostgreSQL, pgBouncer, pgBackRest, Patroni.
    "{day} {clock}.123 UTC [{pid}] LOG:  checkpoint complete: wrote {n} buffers ({n}.1%); 0 WAL "
    "file(s) added, 0 removed, 1 recycled; write=0.{n} s, sync=0.002 s, total=0.{n} s",
    '{day} {clock}.123 UTC [{pid}] FATAL:  password authentication failed for user "app"',
    "{day} {clock}.123 UTC [{pid}] LOG:  connection authorized: user=vrooli database=vrooli "
    "application_name=server SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)",
    '{day} {clock}.123 UTC [{pid}] ERROR:  relation "user_token" does not exist at character {n}',
    "{day} {clock}.123 UTC [1] LOG C-0x55d0c8a4{hex4}: vrooli/vrooli@{ip}:{port} login attempt: "
    "db=vrooli user=vrooli tls=TLSv1.3",
    "{day} {clock}.123 P00   INFO: archive-push command end: completed successfully ({n}ms)",
    "{day} {clock},123 INFO: no action. I am (vrooli-pg-instance1-{suf}-0), the leader with the lock",
    # Redis, Sentinel.
    "1:M 28 Nov 2026 {clock}.123 * Background saving started by pid {pid}",
    "1:S 28 Nov 2026 {clock}.123 * MASTER <-> REPLICA sync: Finished with success",
    "1:X 28 Nov 2026 {clock}.123 # +sdown slave {ip}:6379 {ip} 6379 @ mymaster {ip} 6379",
    "1:S 28 Nov 2026 {clock}.123 # Unable to AUTH to MASTER: -WRONGPASS invalid username-password "
    "pair or user is disabled.",
    "1:S 28 Nov 2026 {clock}.123 * (Non critical) Master does not understand REPLCONF listening-port: "
    "-NOAUTH Authentication required.",
    # Operators.
    'time="{iso}Z" level=info msg="reconciled instance" PostgresCluster={ns}/vrooli-pg '
    "controller=postgrescluster controllerKind=PostgresCluster key={ns}/vrooli-pg name=vrooli-pg "
    "namespace={ns} reconcileID={uuid} version=5.8.{n}-0",
    'time="{iso}Z" level=debug msg="replaced configuration" '
    'file="sigs.k8s.io/controller-runtime@v0.21.{n}/pkg/internal/controller/controller.go:{n}"',
    '{{"level":"info","ts":"{iso}Z","msg":"Successfully synced the secret","controller":'
    '"vaultstaticsecret","controllerGroup":"secrets.hashicorp.com","controllerKind":'
    '"VaultStaticSecret","VaultStaticSecret":{{"name":"vrooli-redis","namespace":"{ns}"}},'
    '"namespace":"{ns}","name":"vrooli-redis","reconcileID":"{uuid}","horizon":"{n}s"}}',
    '{{"level":"error","ts":"{iso}Z","msg":"Failed to read Vault secret","error":"Error making API '
    "request.\\n\\nURL: GET http://vault.vault.svc:8200/v1/secret/data/vrooli/redis\\nCode: 403. "
    'Errors:\\n\\n* permission denied"}}',
    '{{"level":"info","ts":"{iso}Z","logger":"cachingClientFactory","msg":"Creating vault client '
    'cache entry","cacheKey":"kubernetes-{hex10}{hex10}"}}',
    'time="{iso}Z" level=info msg="secret updated" namespace={ns} object=rfr-s-vrooli-rf '
    'service=k8s.secret src="secret.go:{n}"',
    # Traefik, Vault.
    "{iso}Z ERR github.com/traefik/traefik/v3/pkg/provider/kubernetes/ingress/kubernetes.go:{n} > "
    'Error configuring TLS error="secret {ns}/vrooli-tls does not exist" namespace={ns}',
    '{ip} - - [28/Nov/2026:10:{m:02}:{s:02} +0000] "GET /assets/index-{suf}.js HTTP/2.0" 200 {n} "-" '
    '"-" {n} "{ns}-vrooli-ui@kubernetes" "http://{ip}:8080" {n}ms',
    '{iso}.123Z [INFO]  core: successful mount: namespace="" path=secret/ type=kv',
    "{iso}.123Z [INFO]  expiration: revoked lease: lease_id=auth/kubernetes/login/h{hex10}{hex10}",
    # Kubernetes.
    "I1128 {clock}.123456       1 reflector.go:{n}] k8s.io/client-go@v0.37.2/tools/cache/reflector.go:"
    "{n}: watch of *v1.Secret ended with: very short watch: Unexpected watch close",
    'E1128 {clock}.123456    {pid} pod_workers.go:{n}] "Error syncing pod, skipping" err="failed to '
    '\\"StartContainer\\" for \\"server\\" with CrashLoopBackOff: \\"back-off {n}s restarting failed '
    'container=server pod=vrooli-dev-server-5d9c7b6f4-{suf}_{ns}({uuid})\\"" pod="{ns}/vrooli-dev-'
    'server-5d9c7b6f4-{suf}" podUID="{uuid}"',
    'W1128 {clock}.123456    {pid} kubelet.go:{n}] MountVolume.SetUp failed for volume "tls" : secret '
    '"vrooli-tls" not found',
    "I1128 {clock}.123456    {pid} kubelet.go:{n}] couldn't find key DB_PASSWORD in Secret "
    "{ns}/vrooli-postgres-creds",
    'I1128 {clock}.123456       1 trace.go:{n}] Trace[{pid}]: "List" accept:application/json, */*,'
    "audit-id:{uuid},client:{ip},api-group:,api-version:v1,name:,subresource:,namespace:{ns},"
    "protocol:HTTP/2.0,resource:secrets,scope:namespace,url:/api/v1/namespaces/{ns}/secrets,"
    "user-agent:vault-secrets-operator,verb:LIST ({clock}.123) (total time: {n}ms):",
    'time="{iso}.123456789Z" level=info msg="PullImage \\"localhost/vrooli/server:{n}.2.3\\" returns '
    'image reference \\"sha256:{hex10}{hex10}{hex10}{hex10}{hex10}{hex10}{hex4}\\""',
    '{{"level":"warn","ts":"{iso}.123Z","caller":"etcdserver/util.go:{n}","msg":"apply request took '
    'too long","took":"{n}.123ms","expected-duration":"100ms","prefix":"read-only range ","request":'
    '"key:\\"/registry/secrets/{ns}/vrooli-redis-creds\\" ","response":"range_response_count:1 '
    'size:{n}"}}',
    '[INFO] {ip}:{port} - {n} "AAAA IN vrooli-pg-pgbouncer.{ns}.svc.cluster.local. udp {n} false 512" '
    "NXDOMAIN qr,aa,rd 154 0.0001s",
    # Helm, events, messages of the product.
    "history.go:{n}: [debug] getting history for release vrooli-{ns}",
    'Error: UPGRADE FAILED: cannot patch "vrooli-{ns}-server" with kind Deployment: Deployment.apps '
    '"vrooli-{ns}-server" is invalid: spec.template.spec.containers[0].env[{n}].name: Required value',
    'Readiness probe failed: Get "http://{ip}:{port}/healthcheck": context deadline exceeded',
    "0/{n} nodes are available: {n} Insufficient memory. preemption: 0/{n} nodes are available",
    "VaultStaticSecret/vrooli-redis: Secret synced",
    "Pod/vrooli-{ns}-server-5d9c7b6f4-{suf}: ended {n} times, last with status 137",
    "secret: Secret/{ns}/vrooli-tls expires in {n} days",
    'serviceaccounts "vrooli-{ns}-jobs" is forbidden: User "bob" cannot create resource '
    '"serviceaccounts/token" in API group "" in the namespace "{ns}"',
    "#{n} [stage-1 3/7] COPY --from=build /app/.venv/lib/python3.11/site-packages /app/site-packages",
    "go: downloading github.com/hashicorp/vault-secrets-operator v0.{n}.0-0.2026{n}10101-{hex10}ab",
)


def ordinary_lines(count: int) -> Iterator[str]:
    """So many lines; the same in each run."""
    rng = random.Random(SEED)  # noqa: S311
    for number in range(count):
        yield _FORMS[number % len(_FORMS)].format(**_values(rng))


def _values(rng: random.Random) -> dict[str, object]:
    hexadecimal = f"{rng.getrandbits(128):032x}"
    minute, second = rng.randrange(60), rng.randrange(60)
    uuid = "-".join(
        (
            hexadecimal[:8],
            hexadecimal[8:12],
            hexadecimal[12:16],
            hexadecimal[16:20],
            hexadecimal[20:],
        )
    )
    return {
        "m": minute,
        "s": second,
        "iso": _NOW.format(m=minute, s=second),
        "day": "2026-11-28",
        "clock": f"10:{minute:02}:{second:02}",
        "uuid": uuid,
        "hex4": hexadecimal[:4],
        "hex10": hexadecimal[:10],
        "ip": f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}",
        "port": rng.randrange(1024, 65536),
        "pid": rng.randrange(1, 99_999),
        "n": rng.randrange(1, 900),
        "ns": rng.choice(("dev", "staging", "prod", "vrooli-e2e")),
        "suf": "".join(rng.choices(string.ascii_lowercase + string.digits, k=5)),
    }
