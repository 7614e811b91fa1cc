"""Tokens that a fixed prefix or an address identifies, whatever stands around them.

Prefixes, lengths and alphabets are public facts, compared with the rules of gitleaks and of
detect-secrets. Lengths here are lower bounds: vendors change them. No I/O here.
"""

from __future__ import annotations

import re

# Each prefix in lower case, with the pattern that the text from there on must match.
_TOKENS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("eyj", "ops_eyj"), r"(?:ops_)?eyJ[\w-]{8,}+(?:\.[\w-]*+){1,4}|ops_eyJ[\w+/=-]{40,}"),
    # HashiCorp: Vault, HCP Terraform.
    (("hvs.", "hvb.", "hvr."), r"hv[sbr]\.[\w-]{8,}"),
    # GitHub, GitLab.
    (("ghp_", "gho_", "ghs_", "ghu_", "ghr_"), r"gh[opsur]_[A-Za-z0-9]{16,}"),
    (("github_pat_",), r"github_pat_\w{16,}"),
    (
        (
            *("glpat-", "gldt-", "glptt-", "glrt-", "glsoat-", "glft-", "glimt-", "glagent-"),
            *("gloas-", "glcbt-", "glffct-"),
        ),
        r"gl(?:pat|dt|ptt|rt|soat|ft|imt|agent|oas|cbt|ffct)-[\w.-]{16,}",
    ),
    # Slack.
    (("xox",), r"xox[abeoprs]-[\w-]{10,}"),
    (("xapp-",), r"xapp-\d-[\w-]{10,}"),
    # Cloud providers.
    (("akia", "asia", "abia", "acca"), r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    (("aiza",), r"AIza[\w-]{30,}"),
    (("ya29.",), r"ya29\.[\w-]{20,}"),
    (("gocspx-",), r"GOCSPX-[\w-]{20,}"),
    (("ltai",), r"LTAI[A-Za-z0-9]{16,}"),
    (("doo_v1_", "dop_v1_", "dor_v1_"), r"do[opr]_v1_[a-f0-9]{32,}"),
    (("dapi",), r"dapi[a-f0-9]{32}"),
    (("dp.",), r"dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{20,}"),
    (("dt0c01.",), r"dt0c01\.[\w.]{24,}"),
    (("nrak-",), r"NRAK-[A-Z0-9]{20,}"),
    (("tskey-",), r"tskey-[\w-]{16,}"),
    # Payment and mail.
    (("sk-", "sk_"), r"sk[-_](?:live_|test_|prod_|ant-|proj-|svcacct-)?[\w-]{16,}"),
    (("rk_live_", "rk_test_", "rk_prod_"), r"rk_(?:live|test|prod)_\w{10,}"),
    (("whsec_",), r"whsec_[\w+/=-]{16,}"),
    (("sg.",), r"SG\.[\w-]{16,}\.[\w-]{16,}"),
    (("sq0atp-", "sq0csp-"), r"sq0(?:atp|csp)-[\w-]{20,}"),
    (("key-",), r"key-[0-9a-f]{32}(?![0-9a-f])"),
    (("xkeysib-", "xsmtpsib-"), r"x(?:key|smtp)sib-[\w-]{40,}"),
    (("shpat_", "shpca_", "shppa_", "shpss_"), r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    # Registries of packages and models.
    (("npm_",), r"npm_[A-Za-z0-9]{30,}"),
    (("pypi-",), r"pypi-(?=[a-z-]*[A-Z0-9])[\w-]{16,}"),
    (("rubygems_",), r"rubygems_[a-f0-9]{40,}"),
    (("dckr_pat_", "dckr_oat_"), r"dckr_[op]at_[\w-]{16,}"),
    (("hf_", "api_org_"), r"(?:hf|api_org)_[A-Za-z0-9]{20,}"),
    (("akcp",), r"AKCp[A-Za-z0-9]{40,}"),
    (("nvapi-", "pplx-"), r"(?:nvapi|pplx)-[\w-]{30,}"),
    (("gsk_", "r8_"), r"(?:gsk|r8)_[A-Za-z0-9]{30,}"),
    # Tools.
    (("glsa_", "glc_"), r"gl(?:sa|c)_[\w+/=]{30,}"),
    (("sntrys_", "sntryu_"), r"sntry[su]_[\w+/=]{40,}"),
    (("lin_api_", "ntn_", "pnu_"), r"(?:lin_api|ntn|pnu)_[A-Za-z0-9]{30,}"),
    (("atatt3", "atctt3"), r"AT[AC]TT3[\w=-]{30,}"),
    (("pmak-",), r"PMAK-[a-f0-9-]{50,}"),
    (("pul-",), r"pul-[a-f0-9]{40}"),
    (("pscale_",), r"pscale_(?:tkn|pw|oauth)_[\w=.-]{30,}"),
    (("figd_",), r"figd_[\w-]{30,}"),
    (("sha256~",), r"sha256~[\w-]{43}"),
    (("age-secret-key-1",), r"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
    (("ccipat_",), r"CCIPAT_\w{20,}"),
    # Verifiers of passwords: PostgreSQL's and those of crypt(3), bcrypt and Argon2.
    (("scram-sha",), r"SCRAM-SHA-256\$\S++"),
    (("md5",), r"md5[0-9a-f]{32}(?![0-9a-f])"),
    (("$2a$", "$2b$", "$2y$"), r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{50,}"),
    (("$argon2",), r"\$argon2(?:id|i|d)\$\S++"),
    (("$1$", "$5$", "$6$", "$y$", "$apr1$"), r"\$(?:[156y]|apr1)\$[./=$\w]{20,}"),
)
# Addresses whose path is the secret: what follows the prefix is masked.
_HOOKS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("hooks.slack.com/",), r"hooks\.slack\.com/(?:services|workflows|triggers)/"),
    (("/api/webhooks/",), r"/api/webhooks/"),
    (("webhook.office.com/",), r"webhook\.office\.com/webhookb2/"),
    (("api.telegram.org/bot",), r"api\.telegram\.org/bot"),
)
PREFIXES = tuple(dict.fromkeys(prefix for group, _ in _TOKENS for prefix in group))
HOOK_PREFIXES = tuple(prefix for group, _ in _HOOKS for prefix in group)
_TOKEN = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(pattern for _, pattern in _TOKENS)})", re.ASCII)
_HOOK = re.compile(rf"(?i:{'|'.join(pattern for _, pattern in _HOOKS)})([\w/@:.+-]{{8,500}})")
# Vault's tokens until version 1.9, and HCP Terraform's.
_OLD_VAULT = re.compile(r"\.(?<=[sbr]\.)(?<![\w.]..)[A-Za-z0-9]{20,}+")
_TWILIO = re.compile(r"SK[0-9a-f]{32}(?![0-9a-zA-Z])")
_TERRAFORM = re.compile(r"\.atlasv1\.[\w=-]{40,}+")

Span = tuple[int, int]
# A quote, also one that is escaped, or encoded for an address or for HTML; for verbose patterns.
QUOTE = r"""(?:\\{0,15}+["'`]|%22|%27|&quot;|&\#34;|&\#39;)"""
_SURROGATE = re.compile("[\ud800-\udfff]")


def encodable(text: str) -> str:
    """The text with the same length and without halves of surrogate pairs, for an automaton."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def in_ascii(text: str) -> str:
    """The text with the same length and ``?`` for all other characters.

    An automaton without others in its words finds the same in it, several times as fast.
    """
    return text if text.isascii() else text.encode("ascii", "replace").decode("ascii")


def token_at(text: str, start: int) -> Span | None:
    """The token that begins at a position with one of ``PREFIXES``."""
    match = _TOKEN.match(text, start)
    return match.span() if match else None


def hook_at(text: str, start: int) -> Span | None:
    """The secret part of an address that begins with one of ``HOOK_PREFIXES``."""
    match = _HOOK.match(text, start)
    return match.span(1) if match else None


def unprefixed(text: str) -> list[Span]:
    """Tokens without a significant prefix."""
    spans = [(match.start() - 1, match.end()) for match in _OLD_VAULT.finditer(text)]
    spans += [match.span() for match in _TWILIO.finditer(text)]
    if ".atlasv1." in text:
        # The 14 characters before it are the token's name.
        found = _TERRAFORM.finditer(text)
        spans += [(max(0, match.start() - 14), match.end()) for match in found]
    return spans
