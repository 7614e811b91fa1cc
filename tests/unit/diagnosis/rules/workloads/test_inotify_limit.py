"""The rule inotify-limit."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import evidence, found
from support.objects.workloads import ended, the_one
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.diagnosis.rules.workloads import inotify_limit


def _with_log(*lines: str, status: int = 1) -> Evidence:
    body = ended(status)
    source = LogSource("dev", body["metadata"]["name"], "main", previous=True)
    return evidence(body, logs={source: list(lines)})


@pytest.mark.parametrize(
    "line",
    [
        "failed to create fsnotify watcher: too many open files",
        "inotify_add_watch: no space left on device",
        "Error: ENOSPC: System limit for number of file watchers reached, watch '/app'",
        "The configured user limit (128) on the number of inotify instances has been reached, or "
        "the per-process limit on the number of open file descriptors has been reached.",
        "inotify_init: EMFILE",
        "OSError: [Errno 24] inotify instance limit reached",
    ],
)
def test_a_program_at_the_limit_is_named_with_the_settings(line: str) -> None:
    finding = the_one(_with_log("starting", line))
    assert finding.rule_id == "inotify-limit"
    assert line in finding.message
    assert "fs.inotify.max_user_instances" in finding.remediation
    assert "open files of the container" not in finding.remediation


def test_open_files_without_inotify_may_be_either_limit() -> None:
    finding = the_one(_with_log("accept: too many open files"))
    assert finding.rule_id == "inotify-limit"
    assert "or the limit of open files of the container" in finding.remediation


@pytest.mark.parametrize("line", ["no space left on device", "rate limit reached", "watching /app"])
def test_other_errors_do_not_match(line: str) -> None:
    assert found(inotify_limit.RULE, _with_log(line)) == []
