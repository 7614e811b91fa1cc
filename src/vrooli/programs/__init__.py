"""Third-party programs: their sources, builds and cache.

A program comes from the cache, else from its vendor's official download if that is reachable, else
from a build of its Go modules, which are pinned in go/. Nothing here runs a program.
"""

from vrooli.programs.store import ensure, find_missing_groups, module_dir, need_compiler

__all__ = ["ensure", "find_missing_groups", "module_dir", "need_compiler"]
