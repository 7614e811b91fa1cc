"""The host's settings for package registries, which builds use but images do not contain.

Behind a company's proxy, pip and npm need its certificates and sometimes a mirror's address. The
steps of a build mount them as secrets (``RUN --mount=type=secret,id=pip.conf,…``), which all
builders support and none writes to a layer.
"""

from __future__ import annotations

import configparser
import os
import ssl
from pathlib import Path

# Where the Containerfiles mount the certificates.
MOUNTED_CA = "/run/secrets/ca.crt"
# pip's settings of package sources, by their environment variables.
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
# The settings of an npmrc that are valid on this host only.
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
    """The host's CA bundle; None if there is none."""
    variables = [os.environ.get(name) for name in ("PIP_CERT", "SSL_CERT_FILE")]
    candidates = [
        *variables,
        ssl.get_default_verify_paths().cafile,
        "/etc/ssl/certs/ca-certificates.crt",
    ]
    return next((Path(path) for path in candidates if path and Path(path).is_file()), None)


def pip_conf(bundle: Path | None) -> str:
    """The pip.conf of builds: the package sources of this host's pip."""
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
    except configparser.Error:  # pip itself reports the error when it reads the setting
        return {}
    section = parser["global"] if parser.has_section("global") else {}
    settings = set(PIP_SETTINGS.values())
    # A list has one value per line; the continuation lines must be indented.
    return {
        name: value.replace("\n", "\n    ") for name, value in section.items() if name in settings
    }


def npmrc(bundle: Path | None) -> str:
    """The npmrc of builds: the user's npmrc without settings that are valid on this host only."""
    user_file = Path("~/.npmrc").expanduser()
    lines = user_file.read_text().splitlines() if user_file.is_file() else []
    lines = [line for line in lines if line.partition("=")[0].strip() not in HOST_ONLY_NPM_KEYS]
    environment = {
        name.upper(): value for name, value in os.environ.items()
    }  # npm accepts upper and lower case
    registry = environment.get("NPM_CONFIG_REGISTRY")
    if registry:
        lines.append(f"registry={registry}")
    if bundle:
        lines.append(f"cafile={MOUNTED_CA}")
    return "\n".join([*lines, ""])
