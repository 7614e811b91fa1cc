"""``python -m vrooli`` is the ``vrooli`` command."""

import sys

from vrooli.cli.app import main

if __name__ == "__main__":
    # httpcore imports trio wherever it is installed, as it is with the tests' browser driver:
    # a sixth of the start of a command. This process uses asyncio only.
    sys.modules["trio"] = None  # type: ignore[assignment]
    main()
