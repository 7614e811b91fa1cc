"""Upstream's keys of the services and of all components."""

from __future__ import annotations

from vrooli.chart.upstream import changes
from vrooli.chart.upstream.rule import COMPONENTS, UNREAD, each, no, secret, to, whole
from vrooli.secrets import catalog

_TIMING = "the startup probe replaces initial delays"
NAMES = (
    to("nameOverride", "nameOverride"),
    to("fullnameOverride", "fullnameOverride"),
    to("dockerhubUsername", "dockerhubUsername"),
    to("image.registry", "image.registry"),
    to("image.pullPolicy", "image.pullPolicy"),
    whole("nodeSelector", *each("services.{}.nodeSelector", COMPONENTS), note=UNREAD),
    whole("tolerations", *each("services.{}.tolerations", COMPONENTS), note=UNREAD),
    whole("affinity", *each("services.{}.affinity", COMPONENTS), note=UNREAD),
    to("image.tag", *each("services.{}.tag"), note="the tags of the services take precedence"),
)
SERVICES = (
    *(
        to(f"healthChecks.{probe}Probe.{name}", *each(f"services.{{}}.probes.{probe}.{name}"))
        for probe in ("liveness", "readiness")
        for name in ("periodSeconds", "timeoutSeconds", "failureThreshold")
    ),
    to(
        "services.*.env.NODE_ENV",
        "config.env",
        change=changes.text,
        note="the same for all services",
    ),
    no("services.*.env.PORT", "The chart sets it from `services.*.port`."),
    to("services.*.env.*", "services.*.extraEnv.*", change=changes.text),
    to("replicaCount.*", "replicaCount.*"),
    to("services.*.replicas", "replicaCount.*"),
    to("services.*.enabled", "services.*.enabled"),
    to("services.*.repository", "services.*.repository"),
    to("services.*.tag", "services.*.tag", change=changes.text),
    to("services.*.port", "services.*.port"),
    to("services.*.type", "services.*.service.type"),
    to("services.*.probes.useTcpSocket", "services.*.probes.type", change=changes.probe_type),
    to("services.*.probes.livenessPath", "services.*.probes.livenessPath", change=changes.filled),
    to("services.*.probes.readinessPath", "services.*.probes.readinessPath", change=changes.filled),
    no("services.*.probes.port", "Probes use `services.*.port`."),
    no("services.*.probes.initialDelaySeconds", f"`probes.startup`: {_TIMING}."),
    no("services.*.probes.readinessInitialDelaySeconds", f"`probes.startup`: {_TIMING}."),
    *(
        to(
            f"services.*.probes.{name}",
            f"services.*.probes.liveness.{name}",
            f"services.*.probes.readiness.{name}",
        )
        for name in ("periodSeconds", "timeoutSeconds", "failureThreshold")
    ),
    whole("services.*.resources", "services.*.resources"),
    to("services.nsfwDetector.gpu.enabled", "services.nsfwDetector.gpu.enabled"),
    to("services.nsfwDetector.gpu.count", "services.nsfwDetector.gpu.count"),
    to("services.nsfwDetector.gpu.resourceKey", "services.nsfwDetector.gpu.type"),
    whole("services.nsfwDetector.gpu.nodeSelector", "services.nsfwDetector.nodeSelector"),
)
GENERAL = (
    to("config.projectDir", "config.extra.PROJECT_DIR"),
    to("config.env", "config.env"),
    to("config.*", "config.extra.*", change=changes.text),
    secret("secrets.**", catalog.SERVER_JOBS),
    whole("podSecurityContext", "podSecurityContext"),
    *(
        to(f"securityContext.{name}", f"podSecurityContext.{name}")
        for name in ("runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup")
    ),
    whole("securityContext.*", "containerSecurityContext.*"),
    no("resources.**", f"{UNREAD} Set `services.*.resources`."),
    whole(
        "serviceAccount.annotations",
        *each("services.{}.pod.serviceAccountAnnotations", COMPONENTS),
    ),
    no("serviceAccount.**", "Each component has its own service account, without permissions."),
    to("autoscaling.enabled", *each("services.{}.autoscaling.enabled"), note=UNREAD),
    to("autoscaling.*.*", "services.*.autoscaling.*", note=UNREAD),
    no("healthChecks.*.initialDelaySeconds", f"`services.*.probes.startup`: {_TIMING}."),
    no("healthChecks.enabled", "Probes are always enabled."),
    to("monitoring.enabled", "monitoring.enabled"),
    no("monitoring.**", "`monitoring.enabled` creates all monitors, in the release's namespace."),
    no("persistence.**", "UI, server, jobs, detector and Adminer are stateless."),
    no("postgresql.**", f"{UNREAD} See `pgoPostgresql`."),
    no("redis.**", f"{UNREAD} See `spotahomeRedis`."),
)
ADMINER = (
    to("adminer.enabled", "services.adminer.enabled"),
    to("adminer.replicaCount", "replicaCount.adminer"),
    to("adminer.image.repository", "services.adminer.repository"),
    to("adminer.image.tag", "services.adminer.tag", change=changes.text),
    no("adminer.image.pullPolicy", "`image.pullPolicy` applies to all images."),
    to("adminer.port", "services.adminer.port"),
    to("adminer.probes.useTcpSocket", "services.adminer.probes.type", change=changes.probe_type),
    no("adminer.probes.**", "The probes of `services.adminer.probes` apply."),
    whole("adminer.resources", "services.adminer.resources"),
    no("adminer.env.ADMINER_DEFAULT_SERVER", "The chart sets it."),
    to("adminer.env.*", "services.adminer.extraEnv.*", change=changes.text),
    no("adminer.ingress.**", "Add a path with `service: adminer` to `ingress.hosts`."),
)
