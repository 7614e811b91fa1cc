"""How this host reaches the package registries, handed to builds without getting into images.

Behind a company's proxy, pip and npm need its certificates and perhaps a mirror's address. A
build's steps mount them as secrets (``RUN --mount=type=secret,id=pip.conf,…``), which every builder
knows and none writes into a layer.
"""

from __future__ import annotations

import configparser
import os
import ssl
from pathlib import Path

# Where the Containerfiles mount the certificates.
MOUNTED_CA = "/run/secrets/ca.crt"
# pip's settings that say where packages come from, by the environment variables that set them.
# Source: pip's documentation, "Configuration".
PIP_SETTINGS = {
    "PIP_INDEX_URL": "index-url",
    "PIP_EXTRA_INDEX_URL": "extra-index-url",
    "PIP_TRUSTED_HOST": "trusted-host",
    "PIP_PROXY": "proxy",
    "PIP_DEFAULT_TIMEOUT": "timeout",
    "PIP_RETRIES": "retries",
}
PIP_FILES = (Path("/etc/pip.conf"), Path("~/.pip/pip.conf"), Path("~/.config/pip/pip.conf"))
# The lines of an npmrc that count only on this host.
HOST_ONLY_NPM_KEYS = ("cafile", "prefix", "cache", "nodedir", "globalconfig", "userconfig", "tmp")


def write_secrets(folder: Path) -> dict[str, Path]:
    """Write the files that builds may mount, readable by this user only.

    Returns:
        The file of each secret, by its id.
    """
    folder.mkdir()
    bundle = certificates()
    secrets = {"ca.crt": bundle} if bundle else {}
    for name, content in (("pip.conf", pip_conf(bundle)), ("npmrc", npmrc(bundle))):
        secrets[name] = folder / name
        secrets[name].touch(mode=0o600)
        secrets[name].write_text(content)
    return secrets


def certificates() -> Path | None:
    """The host's bundle of certificates; None when it has none."""
    variables = [os.environ.get(name) for name in ("PIP_CERT", "SSL_CERT_FILE")]
    candidates = [
        *variables,
        ssl.get_default_verify_paths().cafile,
        "/etc/ssl/certs/ca-certificates.crt",
    ]
    return next((Path(path) for path in candidates if path and Path(path).is_file()), None)


def pip_conf(bundle: Path | None) -> str:
    """The pip.conf of builds: where this host's pip takes packages from."""
    settings: dict[str, str] = {}
    for path in PIP_FILES:
        settings |= _pip_file(path.expanduser())
    settings |= {
        setting: os.environ[name] for name, setting in PIP_SETTINGS.items() if name in os.environ
    }
    if bundle:
        settings["cert"] = MOUNTED_CA
    return "\n".join(["[global]", *(f"{name} = {value}" for name, value in settings.items()), ""])


def _pip_file(path: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path)
    except configparser.Error:  # pip itself will complain about it, where it is used
        return {}
    section = parser["global"] if parser.has_section("global") else {}
    settings = set(PIP_SETTINGS.values())
    # A list of several stands on several lines, which only an indent keeps together.
    return {
        name: value.replace("\n", "\n    ") for name, value in section.items() if name in settings
    }


def npmrc(bundle: Path | None) -> str:
    """The npmrc of builds: the user's own without what counts only on this host."""
    user_file = Path("~/.npmrc").expanduser()
    lines = user_file.read_text().splitlines() if user_file.is_file() else []
    lines = [line for line in lines if line.partition("=")[0].strip() not in HOST_ONLY_NPM_KEYS]
    environment = {
        name.upper(): value for name, value in os.environ.items()
    }  # npm takes either case
    registry = environment.get("NPM_CONFIG_REGISTRY")
    if registry:
        lines.append(f"registry={registry}")
    if bundle:
        lines.append(f"cafile={MOUNTED_CA}")
    return "\n".join([*lines, ""])
