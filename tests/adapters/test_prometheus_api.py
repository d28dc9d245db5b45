"""The wrapper against real HTTP peers on loopback: kind ones, broken ones and hostile ones."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.prometheus_api import PrometheusApi, matcher
from bot.errors import PrometheusUnavailable, UserError
from tests.http_peer import Reply, Script, error, peer, vector

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECRET = "s3cr3t-token"


def ask(script: Script, **settings: object) -> list[float]:
    """The values that an instant query has at a peer."""
    with peer(script) as (url, _):
        api = PrometheusApi(url, **settings)  # type: ignore[arg-type]  # settings of many types
        try:
            return [sample.value for sample in api.instant("up", at=NOON)]
        finally:
            api.close()


def test_a_query_travels_in_the_body_of_a_post() -> None:
    """Proxies cut long URLs, and namespaces make queries long."""
    with peer(lambda _: vector("1")) as (url, asked):
        api = PrometheusApi(url)
        api.instant("up" + " + up" * 5000, at=NOON)
        api.close()
    assert asked[0].method == "POST"
    assert len(asked[0].form["query"][0]) > 25_000
    assert asked[0].form["time"] == [str(NOON.timestamp())]


@pytest.mark.parametrize(
    ("settings", "prefix", "expected"),
    [
        pytest.param({"token": SECRET}, "", {"Authorization": f"Bearer {SECRET}"}, id="bearer"),
        pytest.param(
            {"basic_auth": ("me", "pä:ss")},
            "",
            {"Authorization": "Basic " + base64.b64encode("me:pä:ss".encode()).decode()},
            id="basic",
        ),
        pytest.param(
            {"headers": {"X-Scope-OrgID": "team-a"}}, "/prometheus", {"X-Scope-OrgID": "team-a"}, id="mimir"
        ),
        pytest.param({}, "/v1/projects/p/location/global/prometheus", {}, id="managed"),
    ],
)
def test_credentials_headers_and_prefix_reach_the_server(
    settings: dict[str, object], prefix: str, expected: dict[str, str]
) -> None:
    """As Thanos, Mimir and managed services want them."""
    with peer(lambda _: vector("1")) as (url, asked):
        api = PrometheusApi(url + prefix + "/", **settings)  # type: ignore[arg-type]  # settings of many types
        api.instant("up", at=NOON)
        api.close()
    assert asked[0].path == f"{prefix}/api/v1/query"
    assert expected.items() <= asked[0].headers.items()
    assert ("Authorization" in asked[0].headers) == ("Authorization" in expected)


def test_credentials_in_the_url_are_used_and_never_shown() -> None:
    """`https://user:password@host` is what people paste."""
    with peer(lambda _: error(422, "no")) as (url, asked):
        api = PrometheusApi(url.replace("//", "//me:p%40ss@"))
        with pytest.raises(PrometheusUnavailable) as caught:
            api.instant("up", at=NOON)
        api.close()
    assert asked[0].headers["Authorization"] == "Basic " + base64.b64encode(b"me:p@ss").decode()
    assert "p@ss" not in str(caught.value)
    assert "p%40ss" not in str(caught.value)
    assert api.url == url


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("localhost:9090", "needs a scheme", id="no-scheme"),
        pytest.param("ftp://h", "needs a scheme", id="ftp"),
        pytest.param("http://", "needs a scheme", id="no-host"),
        pytest.param("http://h:99999", "cannot be read", id="port"),
        pytest.param("http://me:pw@[::1", "cannot be read", id="bracket"),
        pytest.param("http://me:pw/pw@h", "cannot be read", id="slash in the password"),
        pytest.param("http://no such", "host that is no name", id="host"),
        pytest.param("http://h/graph?g0=up", "may not hold", id="query"),
    ],
)
def test_a_url_that_cannot_work_is_told_at_once(url: str, says: str) -> None:
    """Before anything is sent, and without its password."""
    with pytest.raises(UserError, match=says) as caught:
        PrometheusApi(url)
    assert "pw" not in str(caught.value)


def test_a_header_cannot_smuggle_a_second_one() -> None:
    """A line break in a value would begin a new header."""
    with pytest.raises(UserError, match="X-Scope-OrgID"):
        PrometheusApi("http://h", headers={"X-Scope-OrgID": "a\r\nX-Other: b"})


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        pytest.param(error(422, "bad\nthing"), "HTTP 422: bad thing$", id="422"),
        pytest.param(error(503, "query timed out"), "HTTP 503: query timed out", id="503"),
        pytest.param(Reply(b"", 503), "HTTP 503 with no JSON; it is overloaded", id="503-empty"),
        pytest.param(Reply(b"Bad Gateway", 502), "HTTP 502 with no JSON; its log", id="502"),
        pytest.param(Reply(b"<html>Sign in", 200), "a web page", id="html"),
        pytest.param(Reply(b"<html>", 401), "token or password is missing", id="401-html"),
        pytest.param(Reply(b"404 page not found", 404), "path prefix", id="404"),
        pytest.param(Reply(b"", 302, {"Location": "https://sso/?t=1"}), "redirects", id="redirect"),
        pytest.param(Reply(b"{}", 200), "not a Prometheus answer; what is", id="not-prometheus"),
        pytest.param(Reply(b"[]", 200), "not a Prometheus answer", id="list"),
        pytest.param(Reply(b'{"status":"success","data":7}'), "not a Prometheus answer", id="number"),
        pytest.param(Reply(b'{"status":"success","data":{}}'), "not a Prometheus answer", id="no-result"),
        pytest.param(
            Reply(b'{"status":"success","data":{"result":[{"value":"x"}]}}'),
            "not a Prometheus answer",
            id="no-metric",
        ),
        pytest.param(Reply(b"[" * 100_000), "no JSON", id="deep"),
        pytest.param(Reply(b"{" + b" " * 2_000_000), "over 1,000,000 bytes", id="large"),
        pytest.param(Reply(b"{}", headers={"Content-Length": "99"}), "cannot be reached", id="cut"),
    ],
)
def test_a_bad_answer_is_one_line(reply: Reply, says: str) -> None:
    """No traceback of a vendor, no secret, one line."""
    with pytest.raises(PrometheusUnavailable, match=says) as caught:
        ask(lambda _: reply, token=SECRET, max_bytes=1_000_000)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pause", [0.01, 30.0], ids=["dripping", "silent"])
def test_a_slow_server_is_left_alone_in_time(pause: float) -> None:
    """The timeout is for the whole answer, not for each of its bytes."""
    began = time.monotonic()
    with pytest.raises(PrometheusUnavailable, match=r"within 0\.3 s"):
        ask(lambda _: Reply(b" " * 1000, pause=pause), timeout_seconds=0.3)
    assert time.monotonic() - began < 3


def test_nobody_listening_is_one_line() -> None:
    """The commonest mistake of all: the port-forward is not running."""
    with pytest.raises(PrometheusUnavailable, match="cannot be reached: nothing listens there"):
        PrometheusApi("http://127.0.0.1:1", token=SECRET).instant("up", at=NOON)


def test_http_where_tls_was_asked_for_is_said() -> None:
    """A letter too many in the address."""
    with peer(lambda _: vector("1")) as (url, _):
        api = PrometheusApi(url.replace("http://", "https://"))
        with pytest.raises(PrometheusUnavailable, match=r"TLS failed: does it speak plain http://\?"):
            api.instant("up", at=NOON)
        api.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_once(status: int) -> None:
    """The client alone would ask four times over six seconds."""
    with peer(lambda _: error(status, "no")) as (url, asked):
        api = PrometheusApi(url)
        with pytest.raises(PrometheusUnavailable):
            api.instant("up", at=NOON)
        api.close()
    assert len(asked) == 1


def test_unusable_values_are_dropped_and_counted() -> None:
    """NaN, infinities and negatives are no usage."""
    with peer(lambda _: vector("1.5", "NaN", "+Inf", "-Inf", "-1", "0")) as (url, _):
        api = PrometheusApi(url)
        assert [sample.value for sample in api.instant("x", at=NOON)] == [1.5, 0.0]
        api.close()
    assert api.counters.samples_dropped == 4
    assert api.counters.samples_returned == 6


def test_warnings_and_server_statistics_are_heard() -> None:
    """The client drops both; Thanos says in warnings which store did not answer."""
    body = {
        "status": "success",
        "warnings": ["store 10.0.0.1\nis down"],
        "data": {"result": [], "stats": {"samples": {"totalQueryableSamples": 70, "peakSamples": 9}}},
    }
    with peer(lambda _: Reply(json.dumps(body).encode())) as (url, asked):
        api = PrometheusApi(url)
        for _ in range(2):
            api.instant("x", at=NOON)
        api.close()
    assert api.warnings == ["Prometheus warns: store 10.0.0.1 is down"]
    assert (api.counters.samples_processed, api.counters.peak_samples) == (140, 9)
    assert asked[0].form["stats"] == ["all"]


def test_too_many_series_are_cut_aloud() -> None:
    """A cut list never looks like a whole one."""
    with peer(lambda _: vector(*["1"] * 5)) as (url, _):
        api = PrometheusApi(url, max_series=3)
        assert len(api.instant("x", at=NOON)) == 3
        api.close()
    assert api.warnings == ["Prometheus: only 3 of 5 series were read of x"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key, in one PEM file."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=peer"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("trust", ["ca", "off", "none"])
def test_a_custom_ca_is_what_makes_tls_work(certificate: Path, trust: str) -> None:
    """With the CA file it works, without one it fails in one line, and it can be switched off."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    ca = certificate / "cert.pem" if trust == "ca" else None
    with peer(lambda _: vector("1"), tls=tls) as (url, _):
        api = PrometheusApi(url, ca_file=ca, verify=trust != "off")
        if trust == "none":
            with pytest.raises(PrometheusUnavailable, match=r"TLS failed: .* not trusted; name its CA file"):
                api.instant("up", at=NOON)
        else:
            assert [sample.value for sample in api.instant("up", at=NOON)] == [1.0]
        api.close()


def test_a_ca_file_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    """The vendor would raise an OSError at the first query."""
    with pytest.raises(UserError, match=r"no such CA file"):
        PrometheusApi("https://h", ca_file=tmp_path / "ca.pem")


@pytest.mark.parametrize(
    "value",
    ["a'} or vector(1) #", 'a"} or x', "a\nb", "", "A", "-a", "a_b", "x" * 300, "\uff41", "a|b", "a.*"],
)
def test_only_kubernetes_names_become_matchers(value: str) -> None:
    """A namespace of a stranger's manifest is not a piece of PromQL."""
    with pytest.raises(UserError, match="not a Kubernetes name"):
        matcher("namespace", "good", value)


@given(st.lists(st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,20}[a-z0-9])?", fullmatch=True), min_size=1))
def test_a_matcher_is_one_quoted_string(names: list[str]) -> None:
    """Whatever the names, what follows the label is one JSON string."""
    _, quoted = matcher("namespace", *names).split("=", 1)
    assert all(part in json.loads(quoted.removeprefix("~")).replace("\\", "") for part in names)


def test_a_selector_is_quoted_by_json_rules() -> None:
    """A cluster's name comes from the configuration and may hold anything."""
    api = PrometheusApi("http://h", selector={"cluster": 'a"b\\c\nä'})
    assert api.selector_matchers == ('cluster="a\\"b\\\\c\\nä"',)
    with pytest.raises(UserError, match="label name"):
        PrometheusApi("http://h", selector={"a-b": "c"})


def test_the_vendor_is_not_imported_before_it_is_needed() -> None:
    """`tuppence --help` shall not wait for it."""
    program = (
        "import sys, bot.adapters.prometheus_api; sys.exit(bool({'requests', 'prometheus_api_client',"
        " 'sqlalchemy', 'pandas'} & sys.modules.keys()))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
