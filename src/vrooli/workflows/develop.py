"""Bring the whole of Vrooli up: from whatever is there to a healthy release."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from vrooli import images, operators, programs, project, vault
from vrooli.chart import values as chart_values
from vrooli.cluster.embedded.cluster import EmbeddedCluster, KnownCluster
from vrooli.cluster.embedded.settings import AddonImages, Settings
from vrooli.cluster.interface import Cluster
from vrooli.environments import SecretsSource
from vrooli.events import Listener, Outcome, Progress
from vrooli.images import BuiltImage
from vrooli.kube import Kube
from vrooli.operators import Operator, Site, Source
from vrooli.release import apply, follow, history
from vrooli.release.history import Release
from vrooli.secrets import env_file
from vrooli.secrets import kubernetes as kubernetes_secrets
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows import host
from vrooli.workflows.cluster import Choice, choose
from vrooli.workflows.options import DevelopOptions
from vrooli.workflows.results import DevelopResult, StepResult
from vrooli.workflows.setup import all_programs

# What the cluster starts as processes of the host.
CLUSTER_PROGRAMS = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"),
    *("kube-proxy", "containerd", "containerd-shim-runc-v2", "ctr"),
    *("bridge", "host-local", "loopback", "portmap"),
)
# The images that are in the cluster before anything else: its add-ons, the operators, Vault.
FIRST = (*images.ADDONS, *images.OPERATORS, "openbao")
# The values' name of each service, by the image that a local build makes for it.
SERVICES = {
    "ui": "ui",
    "server": "server",
    "jobs": "jobs",
    "nsfw-detector": "nsfwDetector",
    "adminer": "adminer",
}


async def develop(options: DevelopOptions, listener: Listener) -> DevelopResult:
    """Do what is missing, and say what was done and where to look.

    Raises:
        UsageError: A name or a file is wrong; nothing was touched.
        VrooliError: The first step's error.
    """
    began = time.monotonic()
    chart_values.load(options.environment, options.values)  # a bad file stops it before it starts
    run = _Run(options, await choose(options.cluster))
    ended = await run_steps(run.steps(), listener)
    steps = tuple(StepResult.of(step) for step in ended)
    return DevelopResult(
        changed=any(step.outcome is Outcome.CHANGED for step in steps),
        elapsed_s=round(time.monotonic() - began, 3),
        steps=steps,
        environment=options.environment.name,
        release=options.environment.release,
        namespace=options.environment.namespace,
        cluster=str(run.choice),
        kubeconfig=str(run.cluster.kubeconfig),
        urls=release_urls(run.cluster),
    )


def release_urls(cluster: Cluster | KnownCluster) -> dict[str, str]:
    """What a person can open, by name, given the cluster's ways in."""
    ways = cluster.urls()
    found = {"kubernetes": ways["api"]} if "api" in ways else {}
    if "http" in ways:
        port = ways["http"].rpartition(":")[2]
        # Browsers resolve every name under localhost to this machine (RFC 6761, section 6.3).
        found |= {"ui": ways["http"], "adminer": f"http://adminer.localhost:{port}"}
    return found


class _Run:
    """One run of develop: what its steps hand to each other."""

    cluster: Cluster
    kube: Kube

    def __init__(self, options: DevelopOptions, choice: Choice) -> None:
        self.options = options
        self.choice = choice
        self.programs: dict[str, Path] = {}
        self.images: dict[str, BuiltImage] = {}
        self.sources: dict[str, Source] = {}

    def steps(self) -> list[Step]:
        """All steps; each names those that it stands on."""
        installs = [self._install(operator) for operator in operators.ALL]
        return [
            Step("packages", "Host packages", host.ensure_packages),
            Step("programs", "Third-party programs", self.ensure_programs),
            Step("images", "Images of services and data", self.ensure_images, ("packages",)),
            Step(
                "program-images",
                "Images of programs",
                self.ensure_program_images,
                ("packages", "programs", "images"),
            ),
            Step("cluster", "Kubernetes", self.ensure_cluster, ("program-images",)),
            Step("load", "Images into the cluster", self.load_images, ("cluster",)),
            *installs,
            Step("secrets", "Secrets", self.ensure_secrets, ("cluster",)),
            Step(
                "release",
                "Helm release",
                self.ensure_release,
                ("load", "secrets", *(step.name for step in installs)),
            ),
            Step("healthy", "Healthy release", self.follow_release, ("release",)),
        ]

    async def ensure_programs(self, progress: Progress) -> Done:
        """Have the third-party programs in the cache."""
        names = all_programs()
        made = programs.missing(names)
        self.programs = await programs.ensure(names, progress)
        detail = f"made {', '.join(made)}" if made else f"all {len(names)} are in the cache"
        return Done(changed=bool(made), detail=detail)

    async def ensure_images(self, progress: Progress) -> Done:
        """Build the images that need no third-party program, while those are built."""
        return await self._build(images.WITHOUT_PROGRAMS, progress)

    async def ensure_program_images(self, progress: Progress) -> Done:
        """Build the images that hold third-party programs."""
        return await self._build(images.OF_PROGRAMS, progress)

    async def _build(self, names: Sequence[str], progress: Progress) -> Done:
        built = await images.ensure(names, self.programs, progress)
        self.images |= built
        made = [name for name, image in built.items() if image.built]
        detail = f"built {', '.join(made)}" if made else f"all {len(built)} are as they should be"
        return Done(changed=bool(made), detail=detail)

    async def ensure_cluster(self, progress: Progress) -> Done:
        """Have the cluster run, with what its add-ons and the operators need in it."""
        if self.choice.embedded:
            archive = await self._archive(FIRST, progress)
            self.cluster = EmbeddedCluster(
                self.choice.name,
                state_dir=project.state_dir(),
                programs={name: self.programs[name] for name in CLUSTER_PROGRAMS},
                images=AddonImages(archive),
                settings=Settings(ports=self.options.ports),
            )
        else:
            self.cluster = self.choice.external()
        done = await self.cluster.ensure_running(progress)
        self.kube = await Kube.connect(self.cluster.kubeconfig)
        self.sources = await operators.choose(operators.ALL, self.kube)
        return done

    async def load_images(self, progress: Progress) -> Done:
        """Load the images of the data and the services."""
        every = [*images.DATA, *images.SERVICES]
        wanted = every if self.choice.embedded else [*FIRST, *every]
        return await self.cluster.load_images(await self._archive(wanted, progress), progress)

    async def _archive(self, names: Sequence[str], progress: Progress) -> Path:
        return await images.archive([self.images[name] for name in names], progress)

    def _install(self, operator: Operator) -> Step:
        async def ensure(progress: Progress) -> Done:
            site = Site(self.kube, self.cluster.kubeconfig, self._hashes())
            return await operators.ensure(operator, self.sources[operator.name], site, progress)

        return Step(operator.name, operator.title, ensure, ("cluster",))

    async def ensure_secrets(self, progress: Progress) -> Done:
        """Have the five secrets: in Vault, or in Kubernetes from a local file."""
        if self.options.secrets_source is SecretsSource.VAULT:
            return await vault.ensure(
                self.kube,
                project.policies_dir(),
                progress,
                image_hash=self._hashes()[vault.IMAGE],
            )
        path = self.options.secrets_file or env_file.default_path(self.options.environment)
        made = env_file.write_first(path)
        namespace = self.options.environment.namespace
        done = await kubernetes_secrets.ensure(self.kube, namespace, path, progress)
        return Done(done.changed or made, done.detail)

    async def ensure_release(self, progress: Progress) -> Done:
        """Have the chart installed with the environment's values and the local images."""
        values = chart_values.load(self.options.environment, self.options.values)
        values = chart_values.merge(values, self._local_values())
        return await apply.ensure(self.kube, self._release(), values, progress)

    async def follow_release(self, progress: Progress) -> Done:
        """Follow the release until every object of it is ready."""
        manifests = await history.manifests(self._release())
        return await follow.until_ready(self.kube, manifests, progress)

    def _release(self) -> Release:
        return Release.of(self.options.environment, self.cluster.kubeconfig)

    def _hashes(self) -> dict[str, str]:
        return {image.reference: image.inputs_hash for image in self.images.values()}

    def _local_values(self) -> chart_values.Values:
        """What develop says over the values files: the images that were built here."""
        services = {}
        for name, key in SERVICES.items():
            image = self.images[name]
            repository, _, tag = image.reference.rpartition(":")
            # The tag stays the same when an image is built anew; the note rolls the pods.
            note = {"vrooli.com/image-inputs": image.inputs_hash}
            services[key] = {"repository": repository, "tag": tag, "podAnnotations": note}
        found: chart_values.Values = {"services": services}
        if self.options.secrets_source is SecretsSource.FILE:
            found["vso"] = {"enabled": False}
        return found
