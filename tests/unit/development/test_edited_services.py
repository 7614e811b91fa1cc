"""Which services and images a changed file belongs to, and the pods that run edited files."""

from __future__ import annotations

from pathlib import Path

import pytest

from vrooli import images, project
from vrooli.chart import engine
from vrooli.chart import values as chart_values
from vrooli.development import overlay
from vrooli.development.services import EDITED_SERVICES, EditedService
from vrooli.environments import ENVIRONMENTS
from vrooli.workflows.development.watch import edited_services, images_of

DEV = ENVIRONMENTS["dev"]
ROOT = project.root()


@pytest.mark.parametrize(
    ("path", "services", "built"),
    [
        ("services/server/vrooli_server/api.py", {"server"}, set()),
        ("services/server/vrooli_server/new/module.py", {"server"}, set()),
        ("services/jobs/vrooli_jobs/cron.py", {"jobs"}, set()),
        # The pods of the rotator always run their image.
        ("services/shared/vrooli_shared/web.py", {"server", "jobs"}, {"rotator"}),
        ("services/rotator/vrooli_rotator/loop.py", set(), {"rotator"}),
        ("services/nsfw-detector/vrooli_detector/model.py", {"nsfw-detector"}, set()),
        ("services/ui/src/App.tsx", {"ui"}, set()),
        ("services/ui/package-lock.json", set(), {"ui-development"}),
        ("services/server/Containerfile", set(), {"server"}),
        ("services/shared/requirements.txt", set(), {"server", "jobs", "rotator"}),
        ("images/python-packages/Containerfile", set(), {"server", "jobs", "rotator"}),
        ("services/nsfw-detector/requirements.txt", set(), {"nsfw-detector"}),
        ("services/server/__pycache__/api.pyc", set(), set()),
        ("services/ui/node_modules/react/index.js", set(), set()),
        ("services/README.md", set(), set()),
        ("images/adminer/index.php", set(), {"adminer"}),
        ("k8s/chart/values.yaml", set(), set()),
    ],
)
def test_a_changed_file_belongs_to_services_and_images(
    path: str, services: set[str], built: set[str]
) -> None:
    assert {item.name for item in edited_services([ROOT / path])} == services
    assert images_of([ROOT / path]) == built


@pytest.mark.parametrize("service", EDITED_SERVICES, ids=lambda item: item.name)
def test_pods_get_the_files_that_their_image_contains(service: EditedService) -> None:
    files = service.files()
    assert files
    assert all(path.is_file() for path in files.values())
    containerfile = images.find_image(service.name).containerfile.read_text()
    for target in {Path(name).parts[0] for name in files}:
        assert target in containerfile


def test_pods_with_edited_files_are_restricted_as_all_others() -> None:
    values = chart_values.merge(chart_values.load(DEV), overlay.values())
    rendered = engine.render(values, release=DEV.release, namespace=DEV.namespace)
    pods = {
        item.name: item.body["spec"]["template"] for item in rendered if item.kind == "Deployment"
    }
    edited = {name for name, pod in pods.items() if overlay.annotations_of(pod)}
    assert edited == {f"{DEV.release}-{item.name}" for item in EDITED_SERVICES}
    for name in edited:
        (container,) = pods[name]["spec"]["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert pods[name]["spec"]["securityContext"]["runAsNonRoot"] is True
