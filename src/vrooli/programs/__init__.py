"""Third-party programs: their sources, builds and cache.

A program is taken from the cache, else from its vendor's official download where that is
reached, else built from its Go modules, which are pinned in go/. Nothing here starts one.
"""

from vrooli.programs.store import clear_build_caches, ensure, find_missing_groups, module_dir

__all__ = ["clear_build_caches", "ensure", "find_missing_groups", "module_dir"]
