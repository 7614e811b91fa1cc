"""The passphrase of a repository of backups, which pgBackRest never changes."""

from __future__ import annotations


def option(repository: object) -> str:
    """The option of pgBackRest that has the passphrase.

    Args:
        repository: The number of the repository.
    """
    return f"repo{repository}-cipher-pass"


def advice(repository: object = "N") -> str:
    """What to do about a repository that was created with another passphrase.

    Args:
        repository: The number of the repository; N if it is unknown.
    """
    return (
        f"Put the passphrase of its creation back as {option(repository)} in the Secret that "
        "pgoPostgresql.backup names. pgBackRest cannot change the passphrase of a repository: "
        "a new one needs an empty repository and a new full backup."
    )
