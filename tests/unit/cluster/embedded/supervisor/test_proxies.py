"""The components of a cluster know of no proxy."""

from vrooli.cluster.embedded.supervisor.supervisor import without_proxies


def test_no_proxy_setting_reaches_a_component_in_either_case() -> None:
    given = {"HTTPS_PROXY": "http://a:1", "http_proxy": "http://a:1", "NO_PROXY": "b", "LANG": "C"}
    assert without_proxies(given) == {"LANG": "C"}
