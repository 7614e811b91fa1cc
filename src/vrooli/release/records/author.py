"""Who deploys, and from where: a person on a host, or a pipeline run. No I/O."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Author:
    """Who made a revision.

    Attributes:
        name: The user's name, or the user who started the pipeline run.
        place: The host's name, or the pipeline run.
    """

    name: str
    place: str


def author(variables: Mapping[str, str] = os.environ) -> Author:
    """Who runs this process.

    The variables are those that GitHub Actions and GitLab CI/CD document as set in every job. With
    sudo it is the user who ran sudo.
    """
    if variables.get("GITHUB_ACTIONS") == "true":
        run = f"{variables.get('GITHUB_REPOSITORY', '')}-run-{variables.get('GITHUB_RUN_ID', '')}"
        return Author(variables.get("GITHUB_ACTOR", ""), f"github-actions-{run}")
    if variables.get("GITLAB_CI") == "true":
        run = f"{variables.get('CI_PROJECT_PATH', '')}-job-{variables.get('CI_JOB_ID', '')}"
        return Author(variables.get("GITLAB_USER_LOGIN", ""), f"gitlab-ci-{run}")
    return Author(variables.get("SUDO_USER") or _user(), socket.gethostname())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid-{os.getuid()}"
