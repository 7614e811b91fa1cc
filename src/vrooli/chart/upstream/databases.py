"""Upstream's keys of PostgreSQL and Redis."""

from __future__ import annotations

from vrooli.chart.upstream import changes
from vrooli.chart.upstream.rule import Rule, no, secret, to, whole
from vrooli.secrets import catalog

_PVC = "spotahomeRedis.redis.storage.persistentVolumeClaim"
_REPO = "pgoPostgresql.backups.pgBackRest.repos.*"
POSTGRES = (
    to("externalDatabase.enabled", "pgoPostgresql.enabled", change=changes.inverted),
    to("pgoPostgresql.enabled", "pgoPostgresql.enabled"),
    to("pgoPostgresql.clusterName", "pgoPostgresql.clusterName"),
    to("pgoPostgresql.postgresVersion", "pgoPostgresql.postgresVersion"),
    to("pgoPostgresql.instances", "pgoPostgresql.instances"),
    to("pgoPostgresql.instances.count", "pgoPostgresql.instances"),
    to("pgoPostgresql.instances.*.replicas", "pgoPostgresql.instances"),
    no("pgoPostgresql.instances.*.name", "The chart has one set of instances."),
    *(
        rule
        for instances in ("pgoPostgresql.instances", "pgoPostgresql.instances.*")
        for rule in (
            whole(f"{instances}.resources", "pgoPostgresql.resources"),
            whole(f"{instances}.affinity", "pgoPostgresql.affinity"),
            whole(f"{instances}.tolerations", "pgoPostgresql.tolerations"),
            to(f"{instances}.storage.size", "persistence.postgres.size"),
            to(f"{instances}.storage.storageClass", "persistence.postgres.storageClass"),
            to(
                f"{instances}.dataVolumeClaimSpec.resources.requests.storage",
                "persistence.postgres.size",
            ),
            to(
                f"{instances}.dataVolumeClaimSpec.storageClassName",
                "persistence.postgres.storageClass",
            ),
            no(f"{instances}.dataVolumeClaimSpec.accessModes.*", "It is always ReadWriteOnce."),
        )
    ),
    to(
        "pgoPostgresql.users.*.name",
        "pgoPostgresql.users.*.name",
        change=changes.hyphenated,
        note="underscores become hyphens; set DB_USER in Vault to the same name",
    ),
    whole("pgoPostgresql.users.*.databases", "pgoPostgresql.users.*.databases"),
    to("pgoPostgresql.users.*.options", "pgoPostgresql.users.*.options"),
    no("pgoPostgresql.users.*.password.type", "The password is read from Vault."),
    secret("pgoPostgresql.users.*.password.**", catalog.POSTGRES),
    no("pgoPostgresql.databases.**", "PGO creates the databases in `pgoPostgresql.users`."),
    no("pgoPostgresql.pgBouncer.enabled", "pgBouncer is always enabled."),
    to("pgoPostgresql.pgBouncer.replicas", "pgoPostgresql.pgBouncer.replicas"),
    whole("pgoPostgresql.pgBouncer.resources", "pgoPostgresql.pgBouncer.resources"),
    to(
        "pgoPostgresql.pgBouncer.maxClientConnections",
        "pgoPostgresql.pgBouncer.config.max_client_conn",
        change=changes.text,
    ),
    to(
        "pgoPostgresql.pgBouncer.defaultPoolSize",
        "pgoPostgresql.pgBouncer.config.default_pool_size",
        change=changes.text,
    ),
    no("pgoPostgresql.backups.enabled", "PGO requires backups."),
    no(f"{_REPO}.name", "The volume is repository 1, S3 is repository 2."),
    to(f"{_REPO}.volume.volumeClaimSpec.resources.requests.storage", "pgoPostgresql.backup.size"),
    to(f"{_REPO}.volume.volumeClaimSpec.storageClassName", "pgoPostgresql.backup.storageClass"),
    no(f"{_REPO}.volume.volumeClaimSpec.accessModes.*", "It is always ReadWriteOnce."),
    *(
        to(f"{_REPO}.schedules.{name}", f"pgoPostgresql.backup.schedules.{name}")
        for name in ("full", "differential", "incremental")
    ),
    Rule(
        f"{_REPO}.s3.bucket",
        ("pgoPostgresql.backup.s3.bucket",),
        "enables S3, in addition to the volume",
        also={"pgoPostgresql.backup.s3.enabled": True},
    ),
    to(f"{_REPO}.s3.endpoint", "pgoPostgresql.backup.s3.endpoint"),
    to(f"{_REPO}.s3.region", "pgoPostgresql.backup.s3.region"),
    to(
        f"{_REPO}.s3.secretName",
        "pgoPostgresql.backup.s3.secretName",
        note="the Secret needs the key s3.conf, with pgBackRest's options",
    ),
    *(
        Rule(
            f"{_REPO}.{store}.{name}",
            (f"pgoPostgresql.backup.{store}.{name}",),
            f"enables the store, in addition to the volume; set `backup.{store}.secretName`",
            also={f"pgoPostgresql.backup.{store}.enabled": True},
        )
        for store, name in (("gcs", "bucket"), ("azure", "container"))
    ),
    no(
        f"{_REPO}.s3.path",
        "The chart sets the path, with the namespace and the name of the cluster.",
    ),
    to("pgoPostgresql.backups.pgBackRest.retentionFullCount", "pgoPostgresql.backup.retentionFull"),
    no("pgoPostgresql.backups.pgBackRest.retentionFullType", "Full backups are counted."),
    to("pgoPostgresql.monitoring.enabled", "pgoPostgresql.monitoring.enabled"),
    no("pgoPostgresql.monitoring.resources.**", "`pgoPostgresql.sidecarResources` applies."),
    whole(
        "pgoPostgresql.patroni.dynamicConfiguration.postgresql.parameters",
        "pgoPostgresql.parameters",
    ),
    to("externalDatabase.host", "externalPostgresql.host", change=changes.filled),
    to("externalDatabase.port", "externalPostgresql.port"),
    no("externalDatabase.database", "The Secret of the database has the key DB_NAME."),
    no(
        "externalDatabase.secretKeys.**",
        "The keys of the Secret are DB_NAME, DB_USER and DB_PASSWORD. `pod.variables` of a service "
        "reads other keys.",
    ),
)
REDIS = (
    to("externalRedis.enabled", "spotahomeRedis.enabled", change=changes.inverted),
    to("spotahomeRedis.enabled", "spotahomeRedis.enabled"),
    to("spotahomeRedis.name", "spotahomeRedis.name"),
    to("spotahomeRedis.sentinel.image", "spotahomeRedis.image", note="one image for both"),
    to("spotahomeRedis.redis.image", "spotahomeRedis.image"),
    to("spotahomeRedis.redis.replicas", "spotahomeRedis.redis.replicas"),
    no("spotahomeRedis.redis.port", f"Redis listens on port {changes.REDIS_PORT}."),
    whole(
        "spotahomeRedis.redis.storage.emptyDir",
        "persistence.redis.enabled",
        change=changes.disabled,
    ),
    to(f"{_PVC}.spec.resources.requests.storage", "persistence.redis.size"),
    *(
        to(key, "persistence.redis.storageClass")
        for key in (
            "spotahomeRedis.redis.storage.storageClassName",
            f"{_PVC}.spec.storageClassName",
            f"{_PVC}.storageClassName",
        )
    ),
    no(f"{_PVC}.spec.accessModes.*", "It is always ReadWriteOnce."),
    no(f"{_PVC}.metadata.**", "The chart sets the metadata of the volumes."),
    to("spotahomeRedis.redis.storage.keepAfterDeletion", "persistence.redis.keepAfterDeletion"),
    *(
        rule
        for part in ("redis", "sentinel")
        for rule in (
            whole(f"spotahomeRedis.{part}.resources", f"spotahomeRedis.{part}.resources"),
            to(f"spotahomeRedis.{part}.customConfig.*", f"spotahomeRedis.{part}.customConfig.*"),
        )
    ),
    *(
        whole(
            f"spotahomeRedis.{part}.{name}",
            f"spotahomeRedis.{name}",
            note="the same for Redis and Sentinel",
        )
        for part in ("sentinel", "redis")
        for name in ("nodeSelector", "tolerations", "affinity")
    ),
    to("spotahomeRedis.sentinel.replicas", "spotahomeRedis.sentinel.replicas"),
    to("spotahomeRedis.redis.exporter.enabled", "spotahomeRedis.exporter.enabled"),
    to("spotahomeRedis.redis.exporter.image", "spotahomeRedis.exporter.image"),
    no("spotahomeRedis.*.exporter.**", "One exporter setting for both: `spotahomeRedis.exporter`."),
    to("spotahomeRedis.auth.secretPath", "vso.secrets.redis.k8sSecretName"),
    no("spotahomeRedis.auth.enabled", "Redis always requires a password."),
    to("externalRedis.host", "externalRedis.host", change=changes.filled),
    to("externalRedis.port", "externalRedis.port"),
    no(
        "externalRedis.secretKeys.**",
        "The key of the Secret is REDIS_PASSWORD. `pod.variables` of a service reads another key.",
    ),
)
