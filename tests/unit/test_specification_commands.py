"""Every command that the specification prints is run by a test, or listed with its reason."""

from __future__ import annotations

import re
from collections import Counter

from support.docs import specification, specification_commands
from support.docs.specification import Command

DOCUMENT = """\
# First
```yaml
helm: {}
```
*   **A list:**
    ```bash
    # Prose that names helm and kubectl.
    export COLOUR=blue  # as you like
    helm upgrade --install one \\
      # Add any settings
      --set a=b \\ 
      --dry-run
    kubectl get pods # all of them
    # kubectl port-forward service/one 3000:3000
    ```
## Second
`helm list <name>`
Text with `helm lint` in it.
```bash
kubectl get secrets -A | grep one
```
"""


def test_commands_are_read_with_their_heading_and_what_was_exported() -> None:
    blue = ("export COLOUR=blue",)
    assert specification.commands(DOCUMENT) == [
        Command("helm upgrade --install one --set a=b --dry-run", "First", blue),
        Command("kubectl get pods", "First", blue),
        Command("kubectl port-forward service/one 3000:3000", "First", blue, commented=True),
        Command("helm list <name>", "Second"),
        Command("kubectl get secrets -A | grep one", "Second"),
    ]


def test_no_command_is_both_run_and_listed_or_twice_in_either() -> None:
    known = [command.text for command in specification_commands.ALL]
    known += [row.command for row in specification.deviations()]
    assert [text for text, times in Counter(known).items() if times > 1] == []


def test_each_command_that_is_listed_has_a_reason_and_another_to_use() -> None:
    rows = specification.deviations()
    assert len(rows) > 5
    assert [row.command for row in rows if not (row.why.strip() and "`" in row.instead)] == []


@specification.needed
def test_each_command_of_the_specification_is_run_or_listed_and_no_other() -> None:
    wanted = {command.text for command in specification.commands(specification.text())}
    run = {command.text for command in specification_commands.ALL}
    listed = {row.command for row in specification.deviations()}
    assert len(wanted) > 70
    assert wanted - run - listed == set(), "neither run nor listed"
    assert (run | listed) - wanted == set(), "no longer in the specification"


@specification.needed
def test_what_is_exported_before_a_command_is_exported_when_it_runs() -> None:
    exported = {
        (command.text, line)
        for command in specification.commands(specification.text())
        for line in command.environment
    }
    assert exported == {
        (command.text, command.before) for command in specification_commands.ALL if command.before
    }


def test_each_expectation_is_a_pattern_that_an_empty_output_has_not() -> None:
    for command in specification_commands.ALL:
        assert command.shows, command.text
        assert not any(re.search(pattern, "") for pattern in command.shows), command.text
