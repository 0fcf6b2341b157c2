"""JSON read strictly: one reading of a token, or none."""

import json

import pytest

from django_oauth_jwt.jws import loads_object, no_object, strict_json


def _nested(times, opening, closing):
    return f'{{"a":{opening * times}1{closing * times}}}'.encode()


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b" ", b"null", b"true", b"1", b'"x"', b"[]", b"[{}]", b"{", b"}", b"{}}", b"{} {}", b"{}x", b"x{}"),
        *(b"{'a': 1}", b"{a: 1}", b'{"a": 1,}', b'{"a" 1}', b'{"a": 01}', b'{"a": +1}', b'{"a": .5}', b'{"a": 0x1}'),
        *(b'{"a": 1 /* x */}', b'{"a": 1} // x', b'{"a": "\n"}', b'{"a": "\x00"}', b'{"a": "\\x41"}', b'{"a": "x}'),
        *(b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}', b'{"a": nan}', b'{"a": 1e999}', b'{"a": -1e999}'),
        *(b'{"a": 1, "a": 1}', b'{"a": 1, "\\u0061": 2}', b'{"a": {"b": 1, "b": 2}}', b'{"a": [{"b": 1, "b": 2}]}'),
        *(b'{"a": "\xff"}', b'{"a": "\xc3"}', b'{"a": "\xed\xa0\x80"}', b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00"),
        *('{"a": 1}'.encode("utf-16"), '{"a": 1}'.encode("utf-32"), '{"a": "\u00fc"}'.encode("latin-1")),
        *(b'{"a": "\\ud800"}', b'{"\\udfff": 1}', b'{"a": [{"b": "\\udc00\\ud800"}]}'),
        *(b"\xa0{}", b"\x0b{}", b"{}\x00", b"{\xa0}", b'{"a": %s}' % (b"9" * 5000), b"[" * 100_000, b'{"a":' * 100_000),
    ],
    ids=lambda data: repr(data[:30]) if isinstance(data, bytes) else repr(data),
)
def test_what_is_no_strict_json_object_is_refused(data):
    """Whatever two parsers could read in two ways, or one could choke on, is a ValueError and nothing else."""
    with pytest.raises(ValueError):  # noqa: PT011  # the kind is the promise; the words are for the log
        loads_object(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[]", "not a JSON object"),
        (b'{"a": "x', "not a JSON object: Unterminated string starting at character 6"),
        (b'{"a": "\x01"}', "not a JSON object: Invalid control character at character 7"),
        (b"<html>", "not a JSON object: Expecting value at character 0"),
        (b'{"a": "\xff"}', "not a JSON object: not UTF-8"),
        (b'{"a": "\\ud800"}', "not a JSON object: lone surrogate"),
        (b'{"a": 1, "a": 2}', "not a JSON object: duplicate member 'a'"),
    ],
)
def test_the_words_for_it_are_those_of_no_parser(data, words):
    """They stand in the log and in reports, and show nothing of the data that could do harm there."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the kind is the promise, as above
        loads_object(data)
    assert no_object(caught.value) == words


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"{}", {}),
        (b' \t\r\n{"a" : 1}\n', {"a": 1}),
        (b'{"a": [1, -0.5, 1e3, true, false, null, "x", {}]}', {"a": [1, -0.5, 1000.0, True, False, None, "x", {}]}),
        (b'{"a": {"b": 1}, "c": {"b": 2}}', {"a": {"b": 1}, "c": {"b": 2}}),
        ('{"\u00fc": "\U0001f600"}'.encode(), {"\u00fc": "\U0001f600"}),
        (b'{"a": "\\ud83d\\ude00", "b": "\\u0000"}', {"a": "\U0001f600", "b": "\0"}),
        (b'{"a": "NaN {[{["}', {"a": "NaN {[{["}),
        (b'{"a": %s}' % (b"9" * 400), {"a": int("9" * 400)}),
        (b'{"a": 1e-999}', {"a": 0.0}),
        (b'{"__class__": 1, "": 2}', {"__class__": 1, "": 2}),
    ],
)
def test_a_strict_json_object_is_read(data, value):
    """RFC 8259, in UTF-8, with blanks around it."""
    assert loads_object(data) == value


@pytest.mark.parametrize(
    ("opening", "closing", "times"),
    [('{"a":', "}", 63), ("[", "]", 63), ('[{"a":', "}]", 31)],
    ids=str,
)
def test_nesting_is_survived_up_to_a_bound(opening, closing, times):
    """64 levels with the outermost are read; more are refused, however deep the stack would go."""
    deepest = _nested(times, opening, closing)
    assert loads_object(deepest)
    assert loads_object(deepest[:-1] + b',"b":[{}]}')  # more brackets than levels
    for too_many in (times + 1, 500, 100_000):
        with pytest.raises(ValueError, match="nested too deeply"):
            loads_object(_nested(too_many, opening, closing))


def test_nesting_is_refused_before_anything_is_decoded(monkeypatch):
    """Python's decoder calls itself, and a thread's stack may end before it notices: that would end the process."""
    monkeypatch.setattr(strict_json, "_decoder", None)
    for data in (b"[" * 65, b'{"a":' * 65, b'{"a": "\\"", "b": ' + b"[" * 64, b'{"a": "[" ' + b"[" * 64):
        with pytest.raises(ValueError, match="nested too deeply"):
            loads_object(data)


@pytest.mark.parametrize("text", ["[" * 100, '"' + "]" * 100, "\\" + "{" * 100, '\\"' + "[{" * 100])
def test_brackets_in_a_string_are_no_nesting(text):
    """Wherever a string ends, quotes and backslashes in it included."""
    assert loads_object(json.dumps({"a": text, text: ["b"]}).encode()) == {"a": text, text: ["b"]}


@pytest.mark.parametrize("unending", ['"' + "[" * 100, '"' + '\\"' * 8000 + "[" * 100, '"\\' + "[" * 100 + "\\"])
def test_a_string_without_an_end_is_refused(unending):
    """In one look at it, whatever it holds."""
    with pytest.raises(ValueError, match=r"Unterminated string|Invalid"):
        loads_object(f'{{"a": {unending}'.encode())


def test_the_member_that_is_given_twice_is_found_in_one_pass():
    """Of so many, comparing each with all others would take longer than a test may."""
    members = "".join(f'"{number}":0,' for number in range(300_000))
    with pytest.raises(ValueError, match="duplicate member '299999'"):
        loads_object(f'{{{members}"299999":0}}'.encode())


def test_many_members_side_by_side_are_no_nesting():
    """The bound is on depth: a token of a thousand groups is read."""
    value = {"groups": [{"id": [number]} for number in range(1000)]}
    assert loads_object(json.dumps(value).encode()) == value
