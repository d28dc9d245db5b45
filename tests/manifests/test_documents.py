"""Reading YAML that strangers wrote."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.manifests.documents import Reading, flatten, load_settings, read

POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: x\n    image: y\n"

# Nine levels of nine aliases each, in 236 bytes or so: hundreds of millions of items once written out.
BOMB = 'a: &a ["lol","lol","lol","lol","lol","lol","lol","lol","lol"]\n' + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def bodies(text: str | bytes) -> list[object]:
    """The bodies in `text`, which must hold no problem."""
    reading = read(text.encode() if isinstance(text, str) else text)
    assert reading.problems == ()
    return [document.body for document in reading.documents]


def problem(text: str | bytes) -> tuple[int, str]:
    """The only problem in `text`."""
    (found,) = read(text.encode() if isinstance(text, str) else text).problems
    return found.line, found.reason


def test_each_document_of_a_stream_knows_its_line() -> None:
    """Empty documents and comments are no documents."""
    reading = read(b"# licence\n---\na: 1\n---\n---\n# nothing\n---\nb: 2\n...\n---\nc: 3\n")
    assert [(document.body, document.line) for document in reading.documents] == [
        ({"a": 1}, 3),
        ({"b": 2}, 8),
        ({"c": 3}, 11),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on: x\n1: z\n", {"true": "x", "1": "z"}),
        ("v: =\n", {"v": "="}),
        ("a: \"1\"\nb: 'yes'\nc: !!str 1\n", {"a": "1", "b": "yes", "c": "1"}),
        ("a: !!int '3'\nb: !!float 3\nc: !!bool 'yes'\n", {"a": 3, "b": 3, "c": True}),
        ("a: !!binary aGVsbG8=\nb: !Ref thing\n", {"a": "hello", "b": "thing"}),
        ("a: &x {m: 1, k: 2}\nb: {<<: *x, k: 3}\n", {"a": {"m": 1, "k": 2}, "b": {"m": 1, "k": 3}}),
        ("a: {j: 3, <<: [{j: 1, m: 1}, {m: 2, k: 2}]}\n", {"a": {"j": 3, "m": 1, "k": 2}}),
        ("a: &x 5\nb: *x\n*x : 1\n", {"a": 5, "b": 5, "5": 1}),
        ('{"a": [1, 2.5, null, true], "b": {"c": "d\\/e"}}', {"a": [1, 2.5, None, True], "b": {"c": "d/e"}}),
        ("a: |\n  x\n  y\nb: >-\n  x\n  y\n", {"a": "x\ny\n", "b": "x y"}),
    ],
    ids=lambda value: str(value)[:24],
)
def test_values_are_those_of_kubernetes(text: str, expected: object) -> None:
    """Tags, merge keys, aliases and JSON, as go-yaml reads them."""
    assert bodies(text) == [expected]


def test_bom_and_windows_line_ends_are_read() -> None:
    """Editors on Windows write both."""
    assert bodies(b"\xef\xbb\xbfa: 1\r\nb:\r\n  c: x\r\n") == [{"a": 1, "b": {"c": "x"}}]


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        pytest.param("a: 1\n".encode("utf-16"), 1, "UTF-16", id="utf-16"),
        pytest.param("a: 1\n".encode("utf-16-be"), 1, "UTF-16", id="utf-16 without mark"),
        pytest.param(b"a: 1\nb: \xff\n", 2, "0xff is not UTF-8", id="latin-1"),
        pytest.param(b"a: 1\nb: \x01\n", 2, "control character", id="control character"),
        pytest.param(b"a: 1\nb: 2\x00", 1, "binary", id="binary"),
        pytest.param(b"a:\n  b: 1\n\tc: 2\n", 3, "a tab indents", id="tab"),
        pytest.param(b"a: b: c\n", 1, "mapping values are not allowed", id="two colons"),
        pytest.param(b"a: [1\n", 2, "did not find expected", id="open bracket"),
        pytest.param(b"a: !!python/object/apply:os.system ['id']\n", 1, "python/object", id="python tag"),
        pytest.param(b"a: !!python/name:os.system\n", 1, "python/name", id="python scalar"),
        pytest.param(b"? [a, b]\n: 1\n", 1, "key must be text", id="list as a key"),
        pytest.param(b"x: 1\n? {a: b}\n: 1\n", 2, "key must be text", id="mapping as a key"),
        pytest.param(b"x: 1\n~: 1\n", 2, "must not be null", id="null key"),
        pytest.param(b"a: &a [*a]\n", 1, "stands inside", id="self-referencing alias"),
        pytest.param(b"a: *b\n", 1, "nobody set", id="unknown alias"),
        pytest.param(b"a: {<<: 5}\n", 1, "`<<` must", id="merge of a number"),
        pytest.param(b"a: !!int x\n", 1, "not a `!!int`", id="wrong tag"),
        pytest.param(b"a: !!binary '*'\n", 1, "base64", id="not base64"),
        pytest.param(BOMB.encode(), 6, "aliases repeat", id="alias bomb"),
        pytest.param(b"a: " + b"[" * 5000, 1, "nested more than", id="5,000 deep"),
        pytest.param(b"- " * 5000, 1, "nested more than", id="5,000 sequences deep"),
        pytest.param(b"name: {{ .Values.name }}\n", 1, "template", id="template"),
        pytest.param(b"{{- if .Values.x }}\nname: y\n{{- end }}\n", 1, "template", id="template block"),
        pytest.param(
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", 1, "LFS", id="LFS pointer"
        ),
        pytest.param(b"%TAG !a! x\n" * 5000, 1, "start with `%`", id="directives"),
    ],
)
def test_what_cannot_be_read_is_a_problem_with_its_line(data: bytes, line: int, words: str) -> None:
    """Never an exception, and quick."""
    begin = time.process_time()
    found, reason = problem(data)
    assert (found, words in reason) == (line, True), (found, reason)
    assert time.process_time() - begin < 1


def test_anchors_that_deepen_each_other_are_refused() -> None:
    """Depth counts through aliases: a body is never deeper than code that walks it can bear."""
    level = "[" * 90 + "{}" + "]" * 90
    text = f"a: &a {level}\nb: &b {'[' * 90}*a{']' * 90}\nc: {'[' * 90}*b{']' * 90}\n"
    assert "nested more than" in problem(text)[1]


def test_a_bad_document_takes_no_other_along() -> None:
    """The documents before and after it are read, with the lines they have in the file."""
    reading = read(f"{POD}---\na: [1\n---\n{POD}---\nb: &x [*x]\n---\n{POD}".encode())
    assert [document.line for document in reading.documents] == [1, 12, 23]
    assert [document.locate(("spec", "containers", 0)) for document in reading.documents] == [7, 18, 29]
    assert [found.line for found in reading.problems] == [11, 21]


def test_a_key_written_twice_is_told_and_the_last_one_counts() -> None:
    """The document stays: an object must not vanish from a report because of it."""
    reading = read(b"spec:\n  cpu: 1\n  memory: 1\n  cpu: 2\n")
    assert reading.documents[0].body == {"spec": {"cpu": 2, "memory": 1}}
    assert [(found.line, "`cpu` is written twice" in found.reason) for found in reading.problems] == [
        (4, True)
    ]


def test_sops_files_are_recognised_and_left_alone() -> None:
    """Their values are not what will run."""
    reading = read(b"kind: Secret\ndata: {a: 'ENC[AES256_GCM,data:x]'}\nsops: {mac: x, version: 3.7.1}\n")
    assert reading.documents == ()
    assert [(found.encrypted, "SOPS" in found.reason) for found in reading.problems] == [(True, True)]


def test_fields_are_found_by_line() -> None:
    """Through lists, aliases, merge keys and multi-byte text; a missing field has its parent's line."""
    text = (
        "# häuser 🏠\n---\nbase: &b\n  cpu: 1\n  memory: 2\nspec:\n  <<: *b\n  memory: 3\n"
        "  items:\n    - name: ü\n      on: 1\n    - *b\n  'quoted': 1\n"
    )
    (document,) = read(text.encode()).documents
    lines = {
        (): 3,
        ("spec",): 6,
        ("spec", "cpu"): 4,
        ("spec", "memory"): 8,
        ("spec", "items", 0): 10,
        ("spec", "items", 0, "true"): 11,
        ("spec", "items", 1): 12,
        ("spec", "items", 1, "memory"): 5,
        ("spec", "items", 2): 9,
        ("spec", "quoted"): 13,
        ("spec", "gone", "far"): 6,
        ("nothing",): 3,
    }
    assert {path: document.locate(path) for path in lines} == lines


def test_ten_megabytes_are_read_in_bounded_time_and_memory() -> None:
    """A file at the limit, made of as many values as fit, is given up at the limit of values."""
    # VmHWM, since ru_maxrss starts at the peak of the process that starts this one.
    script = (
        "from pathlib import Path; from bot.manifests.documents import read\n"
        "print(read(b'a:\\n' + b'- {}\\n' * 1_900_000).problems[0].reason)\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=150
    )
    reason, kilobytes = ran.stdout.splitlines()
    assert "more than 1,000,000 values" in reason
    assert int(kilobytes) < 400_000


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"{" + b",".join(b"k%d" % key for key in range(1_100)) + b"}", id="in one mapping"),
        pytest.param((b"- [" + b"[]," * 50 + b"]\n") * 25, id="in many lists"),
    ],
)
def test_values_count_wherever_they_are(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """No list of a file need be long by itself."""
    monkeypatch.setattr("bot.manifests.composing.MAX_NODES", 1_000)
    assert "more than 1,000 values" in problem(data)[1]


def test_a_file_over_ten_megabytes_is_not_read() -> None:
    """The limit is told, and what to do."""
    line, reason = problem(b"a: " + b"x" * 10_000_000)
    assert (line, "larger than 10,000,000 bytes; split it" in reason) == (1, True)


def test_more_documents_or_problems_than_anyone_reads_are_summed_up() -> None:
    """A file of thousands of broken documents gives a readable list."""
    reading = read(b"---\na: [\n" * 1000)
    assert len(reading.problems) == 51
    assert reading.problems[-1].reason.startswith("and 950 more")
    assert "10,000 documents" in problem(b"---\na: [\n" * 20_000)[1]


def test_lists_are_flattened_with_their_lines() -> None:
    """`kind: List`, typed lists, lists in lists; what is no object inside them is passed over."""
    text = (
        "kind: List\nitems:\n- kind: Pod\n  a: 1\n- kind: PodList\n  items:\n  - kind: Pod\n    a: 2\n  - [1]\n"
        "- 5\n- kind: List\n  items: []\n- kind: Pod\n  a: 3\n---\nkind: PriceList\na: 4\n"
    )
    found = [item for document in read(text.encode()).documents for item in flatten(document)]
    assert [(item.body["a"], item.line, item.locate(("a",))) for item in found] == [
        (1, 3, 4),
        (2, 7, 8),
        (3, 13, 14),
        (4, 16, 17),
    ]


def test_an_alias_used_as_people_use_it_is_fine() -> None:
    """A kilobyte repeated fifty times."""
    block = "".join(f"  key{number}: some value {number}\n" for number in range(50))
    text = f"x: &x\n{block}" + "".join(f"y{number}: *x\n" for number in range(50))
    assert len(read(text.encode()).documents[0].body) == 51


yaml_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(st.dictionaries(st.text(max_size=8), yaml_values, min_size=1, max_size=4), max_size=4))
def test_what_was_dumped_is_read_back(documents: list[dict[str, object]]) -> None:
    """Whatever text, quoting and nesting the writer chose."""
    dumped = yaml.safe_dump_all(documents, default_style='"')
    reading = read(dumped.encode())
    assert [document.body for document in reading.documents] == documents


@given(st.binary(max_size=200) | st.text(alphabet="a:-[]{}&*!|>'\"#%,? \n\t", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No exception leaves, whatever the file holds, and every field can be located."""
    reading = read(data)
    assert isinstance(reading, Reading)
    assert all(document.locate((*document.body, "x")) >= 1 for document in reading.documents)


def test_settings_give_their_value_and_lines() -> None:
    """Policy and price files are read with the same care."""
    value, locate = load_settings("currency: USD\ndefault:\n  cpu_core_hour: 0.03\n", "prices.yaml")
    assert value == {"currency": "USD", "default": {"cpu_core_hour": 0.03}}
    assert locate(("default", "cpu_core_hour")) == 3
    assert load_settings("# nothing\n", "empty.yaml").value is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [\n", "p.yaml:3: not YAML: "),
        ("a: 1\na: 2\n", "p.yaml:2: `a` is written twice"),
        ("a: 1\n---\nb: 2\n", "p.yaml:3: a second document"),
        ("a: \udcff\n", "p.yaml:1: byte 0xff is not UTF-8"),
    ],
    ids=["broken", "twice", "two documents", "not UTF-8"],
)
def test_unreadable_settings_name_file_and_line(text: str, message: str) -> None:
    """One line the person can act on."""
    with pytest.raises(UserError) as caught:
        load_settings(text, "p.yaml")
    assert str(caught.value).startswith(message)
