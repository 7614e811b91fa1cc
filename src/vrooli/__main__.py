"""``python -m vrooli`` is the ``vrooli`` command."""

from vrooli.cli.app import main

if __name__ == "__main__":
    main()
