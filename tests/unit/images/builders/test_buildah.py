"""What buildah answers while other builds are at work in the same store."""

from __future__ import annotations

from pathlib import Path

import pytest

from vrooli.errors import CommandError
from vrooli.images.builders import buildah
from vrooli.images.builders.buildah import Buildah

ID = "be14e5899cb8" + "0" * 52
REMOVED = f'Error: reading image "{ID}": locating image with ID "{ID}": image not known'
# Fails at its first call, or at each.
ENGINE = """\
#!/bin/sh
if [ ! -e "$0.called" ] || [ -e "$0.broken" ]; then
  touch "$0.called"
  echo '{said}' >&2
  exit 125
fi
echo '[{{"id": "{id}", "names": ["localhost/vrooli/ui:dev"]}}]'
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that stands where buildah is."""
    program = tmp_path / "buildah"
    program.write_text(ENGINE.format(said=REMOVED, id=ID))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(buildah, "COMMIT_S", 1.0)
    return program


async def test_an_image_that_is_removed_while_all_are_listed_is_no_failure(engine: Path) -> None:
    assert await Buildah().images() == {"localhost/vrooli/ui:dev": ID}


async def test_a_store_that_stays_so_is_told(engine: Path) -> None:
    engine.with_name("buildah.broken").touch()
    with pytest.raises(CommandError, match="image not known"):
        await Buildah().images()


PUSHING = """\
#!/bin/sh
echo "$@" > "$0.said"
while [ "$1" != --digestfile ]; do shift; done
printf %s "sha256:abc" > "$2"
"""


@pytest.mark.parametrize(
    ("reference", "plain"),
    [("127.0.0.1:5000/x/ui:1", True), ("registry.example.com/x/ui:1", False)],
)
async def test_a_push_gives_the_registrys_digest_and_only_this_machine_speaks_plain_http(
    engine: Path, reference: str, plain: bool
) -> None:
    engine.write_text(PUSHING)
    assert await Buildah().push(ID, reference) == "sha256:abc"
    said = engine.with_name("buildah.said").read_text().split()
    assert said[-2:] == [ID, f"docker://{reference}"]
    assert ("--tls-verify=false" in said) is plain
