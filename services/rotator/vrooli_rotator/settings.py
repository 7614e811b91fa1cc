"""The settings, from the environment; a database without Secrets is not rotated."""

from __future__ import annotations

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings from the chart: names of Kubernetes objects, no secret values."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)

    port: int = 8080
    log_level: str = "info"
    namespace: str
    deployment: str
    state_secret: str
    # Workloads that read the published Secrets, comma separated: Deployments, `StatefulSet/name`.
    consumers: str = ""

    postgres_source: str = ""
    postgres_secret: str = ""
    postgres_cluster: str = ""
    postgres_user: str = ""
    postgres_database: str = ""
    postgres_host: str = ""
    postgres_port: int = 5432

    redis_source: str = ""
    redis_secret: str = ""
    redis_failover: str = ""
    redis_replicas: int = 0
    redis_sentinels: int = 0
    # Whether Redis stores its data in a persistent volume.
    redis_persistent: bool = True

    def consumer_names(self) -> list[str]:
        """The workloads that are restarted when a Secret is published."""
        return [name.strip() for name in self.consumers.split(",") if name.strip()]
