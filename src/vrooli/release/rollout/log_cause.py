"""Find the line of a log with the cause of a program's exit. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Sequence

# A frame of a Python traceback, or its heading.
_FRAME = re.compile(r'^\s*File ".*", line \d+|^Traceback \(most recent call last\):')
# The lines of Python around its error: the threads' frames and the loaded modules.
_AROUND = re.compile(
    r"^\s|^$|<no Python frame>|^(?:Current thread|Thread) 0x|^Extension modules:"
    r"|^Python runtime state:|\(most recent call (?:first|last)\):"
)
# How programs mark a fatal line: at its start, or as a level after time and name.
_FATAL = re.compile(
    r"^\W*(?i:fatal(?: error)?|critical|panic|emerg)\W*[:\]]"
    r"|^(?:\S+ ){1,4}\W?(?:FATAL|CRITICAL|PANIC|EMERG)\b"
)


def find_cause_line(lines: Sequence[str]) -> str:
    """Find the line with the cause: a traceback's exception, else the last line.

    If lines marked as fatal follow the traceback, the last one of them is the cause.

    Args:
        lines: The end of the log, oldest line first; may start within a traceback.
    """
    frames = [number for number, line in enumerate(lines) if _FRAME.search(line)]
    after = lines[frames[-1] + 1 :] if frames else []
    reasons = [line for line in after if not _AROUND.search(line)]
    if reasons:
        fatal = [line for line in reasons[1:] if _FATAL.search(line)]
        return (fatal[-1] if fatal else reasons[0]).strip()
    others = [line for line in lines if not _AROUND.search(line) and not _FRAME.search(line)]
    candidates = others or [line for line in lines if line.strip()]
    return candidates[-1].strip() if candidates else ""
