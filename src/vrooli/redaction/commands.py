"""Passwords in the arguments of well-known programs and in the commands of Redis.

Long options such as ``--password x`` have names and are found by them; these have short ones.
No I/O here.
"""

from __future__ import annotations

import re

from vrooli.redaction.names import is_plain, is_prose
from vrooli.redaction.tokens import Span

# The distance from the program to its option.
_WINDOW = 300
# It begins with literal text, which makes the search many times as fast.
_OPTION = r"-(?<![^\s\"'`,=\[]-)"
# Between an option and its value: spaces, or the quotes and commas of a list in JSON.
_GAP = r"""["'`]?[\s,=]{0,10}\\{0,7}["'`]?"""
_WORD = r"""(?P<value>[^\s"'`,\\]++|(?<=')[^'\n]++|(?<=")[^"\n\\]++)"""
_USER = rf"""{_OPTION}(?:u|U|-user|-proxy-user){_GAP}[^\s"'`:,\\]{{0,100}}+:{_WORD}"""
_PASSWORD = rf"{_OPTION}p{_GAP}{_WORD}"
_OPTIONS: dict[str, str] = {
    "curl": _USER,
    "redis-cli": rf"{_OPTION}a{_GAP}{_WORD}",
    "redis-benchmark": rf"{_OPTION}a{_GAP}{_WORD}",
    "valkey-cli": rf"{_OPTION}a{_GAP}{_WORD}",
    "mysql": rf"{_OPTION}p[\"'`]?{_WORD}",
    "mariadb": rf"{_OPTION}p[\"'`]?{_WORD}",
    "sshpass": _PASSWORD,
    "mongo": _PASSWORD,
    "docker login": _PASSWORD,
    "podman login": _PASSWORD,
    "buildah login": _PASSWORD,
    "az login": _PASSWORD,
    "ldapsearch": rf"{_OPTION}w{_GAP}{_WORD}",
    "ldapmodify": rf"{_OPTION}w{_GAP}{_WORD}",
    "smbclient": rf"{_OPTION}U{_GAP}[^\s\"'%]{{1,100}}+%{_WORD}",
    "htpasswd": rf"{_OPTION}[nBbcmi]{{0,5}}b[nBbcmi]{{0,5}}(?:\s+(?!-)\S+){{1,2}}?\s+{_WORD}\s*$",
    "rabbitmqctl": rf"(?:add_user|change_password|authenticate_user)\s+\S+\s+{_WORD}",
    "vault login": rf"\A\s+(?!-)(?![\w-]+=){_WORD}",
    "useradd": _PASSWORD,
}
PROGRAMS = tuple(_OPTIONS)
_COMPILED = {name: re.compile(pattern, re.MULTILINE) for name, pattern in _OPTIONS.items()}
_ENDS = ("\n", ";", " | ", " && ", " || ")
_REST = re.compile(r"[^\s\"']*+")
# AUTH and HELLO, as a client writes them, as MONITOR prints them, and in the protocol itself.
_BREAK = r"""(?:["'\s,]|\\r|\\n|\\{1,4}["']|\$\d{1,6}(?=\s|\\r)){1,30}+"""
_REDIS_AUTH = re.compile(
    rf"(?:(?<![A-Za-z])|(?<=\\n))(?:AUTH2?|(?<=[\"'])(?i:auth2?)(?=\\{{0,7}}[\"'])){_BREAK}"
    rf"(?P<first>[^\s\"'\\:=]++)(?:\\{{0,7}}[\"']?(?:{_BREAK})(?P<second>[^\s\"'\\:=]++))?"
)
# Words behind AUTH that continue a sentence or name a mechanism.
_AUTH_PROSE = re.compile(
    r"(?i)(?:to|with|in|for|of|on|at|as|by|from|and|or|command|called|login|plain|mechanism)\b"
)
_REDIS_USER = re.compile(r"(?i:setuser)[\s\"',]{1,5}[^\s\"',]{1,100}+(?P<rules>[^\n]{0,500}+)")
_RULE = re.compile(r"(?<=[\s\"'])[><#!](?P<value>[^\s\"']++)")


def option_value(text: str, program: str, end: int) -> Span | None:
    """The password in the arguments of a program whose name ends here."""
    window = text[end : end + _WINDOW]
    for sign in _ENDS:
        window = window.partition(sign)[0]
    match = _COMPILED[program].search(window)
    if match is None or is_plain(match["value"]):
        return None
    begin, value_end = match.span("value")
    if value_end == _WINDOW:  # the window cuts the value
        rest = _REST.match(text, end + value_end)
        value_end = rest.end() - end if rest else value_end
    return end + begin, end + value_end


def redis_values(text: str, start: int) -> list[Span]:
    """The passwords of an AUTH or an ACL SETUSER of Redis that begins here."""
    if match := _REDIS_USER.match(text, start):
        at = match.start("rules")
        found = _RULE.finditer(match["rules"])
        return [
            (at + rule.start("value"), at + rule.end("value"))
            for rule in found
            if not is_plain(rule["value"])
        ]
    match = _REDIS_AUTH.match(text, start)
    if match is None or is_plain(match["first"]):
        return []
    if is_prose(match["first"]) or _AUTH_PROSE.match(match["first"]):
        return []
    if match["second"] and not is_prose(match["second"]):
        return [match.span("first"), match.span("second")]
    return [match.span("first")]
