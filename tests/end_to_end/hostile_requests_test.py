"""Requests that two parsers could read differently, or that no parser should read at all.

Each is refused with its status and the end of the connection, and no backend sees a byte of it.
Rows say what is wrong with them; everything else about them is right.
"""

import unittest

from testbed import EndToEnd, Lbd, http_config
from wire import Backend

GOOD = b"GET /good HTTP/1.1\r\nHost: test\r\n\r\n"


def get(*fields, target=b"/", version=b"HTTP/1.1", host=b"Host: test", method=b"GET"):
    lines = [b" ".join([method, target, version]), *([host] if host is not None else []), *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def post(*fields, body=b"hello", version=b"HTTP/1.1"):
    return get(*fields, method=b"POST", version=version) + body


def with_chunks(body):
    return post(b"Transfer-Encoding: chunked", body=body)


CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"

LENGTHS = [
    ("a length and chunks", 400,
     post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=CHUNKS)),
    ("chunks and a length", 400,
     post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=CHUNKS)),
    ("a length and an unknown coding", 400, post(b"Content-Length: 5", b"Transfer-Encoding: x")),
    ("two lengths that agree", 400, post(b"Content-Length: 5", b"Content-Length: 5")),
    ("two lengths that differ", 400, post(b"Content-Length: 5", b"Content-Length: 6")),
    ("an empty length, then a good one", 400, post(b"Content-Length:", b"Content-Length: 5")),
    ("a list of lengths", 400, post(b"Content-Length: 5, 5")),
    ("a length with a plus", 400, post(b"Content-Length: +5")),
    ("a length with a minus", 400, post(b"Content-Length: -5")),
    ("a length with a space inside", 400, post(b"Content-Length: 5 0")),
    ("a hexadecimal length", 400, post(b"Content-Length: 0x5")),
    ("a length with a point", 400, post(b"Content-Length: 5.0")),
    ("a length with an exponent", 400, post(b"Content-Length: 5e0")),
    ("a quoted length", 400, post(b'Content-Length: "5"')),
    ("an empty length", 400, post(b"Content-Length:")),
    ("a length of 2^64", 400, post(b"Content-Length: 18446744073709551616")),
    ("a length of 2^64 + 5", 400, post(b"Content-Length: 18446744073709551621")),
    ("a length with a NUL", 400, post(b"Content-Length: 5\0")),
    ("a length with a vertical tab", 400, post(b"Content-Length: \x0b5")),
    ("a length with a form feed", 400, post(b"Content-Length: 5\x0c")),
    ("a length with NEL", 400, post(b"Content-Length: 5\x85")),
    ("a length with a no-break space", 400, post(b"Content-Length: \xa05")),
    ("a length in other digits", 400, post(b"Content-Length: \xd9\xa5")),
    ("a length with an underscore", 400, post(b"Content-Length: 0_5")),
    ("an octal length", 400, post(b"Content-Length: 0o5")),
    ("a length with a semicolon", 400, post(b"Content-Length: 5;")),
    ("a length of 19 digits", 400, post(b"Content-Length: 1000000000000000000")),
    ("a length of minus zero", 400, get(b"Content-Length: -0")),
    ("a list of lengths with nothing behind its comma", 400, post(b"Content-Length: 5,")),
    ("a list of lengths with nothing before its comma", 400, post(b"Content-Length: ,5")),
    ("a good length, then an empty one", 400, post(b"Content-Length: 5", b"Content-Length:")),
    ("two lengths in HTTP/1.0", 400,
     post(b"Content-Length: 5", b"Content-Length: 5", version=b"HTTP/1.0")),
    ("two lengths of zero", 400, get(b"Content-Length: 0", b"Content-Length: 0")),
    ("no length and chunks", 400,
     post(b"Content-Length: 0", b"Transfer-Encoding: chunked", body=CHUNKS)),
    ("a folded length", 400, post(b"Content-Length:\r\n 5")),
    ("a space before the colon of a length", 400, post(b"Content-Length : 5")),
    ("a tab before the colon of a length", 400, post(b"Content-Length\t: 5")),
    ("a vertical tab before the colon of a length", 400, post(b"Content-Length\x0b: 5")),
    ("a NUL before the colon of a length", 400, post(b"Content-Length\0: 5")),
    ("a no-break space before the colon of a length", 400, post(b"Content-Length\xa0: 5")),
    ("a length with an underscore in its name", 400, post(b"Content_Length: 5")),
    ("a length, and another with an underscore in its name", 400,
     post(b"Content-Length: 5", b"content_length: 50")),
    ("a length behind a CR", 400, get(b"X: y\rContent-Length: 5")),
    ("a length behind a LF", 400, get(b"X: y\nContent-Length: 5")),
]

CODINGS = [
    ("xchunked", 501, post(b"Transfer-Encoding: xchunked", body=CHUNKS)),
    ("chunked twice in a list", 400, post(b"Transfer-Encoding: chunked, chunked", body=CHUNKS)),
    ("chunked twice in two fields", 400,
     post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=CHUNKS)),
    ("chunked, then identity", 400, post(b"Transfer-Encoding: chunked, identity", body=CHUNKS)),
    ("identity, then chunked", 501, post(b"Transfer-Encoding: identity, chunked", body=CHUNKS)),
    ("identity", 501, post(b"Transfer-Encoding: identity")),
    ("gzip, chunked", 501, post(b"Transfer-Encoding: gzip, chunked", body=CHUNKS)),
    ("an empty coding", 400, post(b"Transfer-Encoding:", body=CHUNKS)),
    ("chunked with a comma", 400, post(b"Transfer-Encoding: chunked,", body=CHUNKS)),
    ("chunked with a parameter", 400, post(b"Transfer-Encoding: chunked;q=1", body=CHUNKS)),
    ("quoted chunked", 400, post(b'Transfer-Encoding: "chunked"', body=CHUNKS)),
    ("a vertical tab before chunked", 400, post(b"Transfer-Encoding: \x0bchunked", body=CHUNKS)),
    ("a vertical tab behind chunked", 400, post(b"Transfer-Encoding: chunked\x0b", body=CHUNKS)),
    ("a form feed before chunked", 400, post(b"Transfer-Encoding: \x0cchunked", body=CHUNKS)),
    ("a NUL behind chunked", 400, post(b"Transfer-Encoding: chunked\0", body=CHUNKS)),
    ("chunked with a Kelvin sign", 400,
     post(b"Transfer-Encoding: chun\xe2\x84\xaaed", body=CHUNKS)),
    ("chunks in HTTP/1.0", 400,
     post(b"Transfer-Encoding: chunked", body=CHUNKS, version=b"HTTP/1.0")),
    ("a space before the colon of the coding", 400,
     post(b"Transfer-Encoding : chunked", body=CHUNKS)),
    ("a folded coding", 400, post(b"Transfer-Encoding:\r\n chunked", body=CHUNKS)),
    ("a form feed behind chunked", 400, post(b"Transfer-Encoding: chunked\x0c", body=CHUNKS)),
    ("NEL before chunked", 400, post(b"Transfer-Encoding: \x85chunked", body=CHUNKS)),
    ("a no-break space behind chunked", 400,
     post(b"Transfer-Encoding: chunked\xa0", body=CHUNKS)),
    ("DEL behind chunked", 400, post(b"Transfer-Encoding: chunked\x7f", body=CHUNKS)),
    ("a NUL before chunked", 400, post(b"Transfer-Encoding: \0chunked", body=CHUNKS)),
    ("a backspace behind chunked", 400, post(b"Transfer-Encoding: chunked\x08", body=CHUNKS)),
    ("a CR behind chunked", 400, post(b"Transfer-Encoding: chunked\rX: y", body=CHUNKS)),
    ("a CR before the coding", 400, post(b"X: y\rTransfer-Encoding: chunked", body=CHUNKS)),
    ("a LF before the coding", 400, post(b"X: y\nTransfer-Encoding: chunked", body=CHUNKS)),
    ("a coding that is folded at its end", 400,
     post(b"Transfer-Encoding: chunked\r\n , identity", body=CHUNKS)),
    ("two words", 400, post(b"Transfer-Encoding: chunked chunked", body=CHUNKS)),
    ("chunked behind a comma", 400, post(b"Transfer-Encoding: , chunked", body=CHUNKS)),
    ("chunked, then gzip", 400, post(b"Transfer-Encoding: chunked, gzip", body=CHUNKS)),
    ("chunked, then gzip, in two fields", 400,
     post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", body=CHUNKS)),
    ("chunked, then an empty coding", 400,
     post(b"Transfer-Encoding: chunked", b"Transfer-Encoding:", body=CHUNKS)),
    ("chunked, then a coding of spaces", 400,
     post(b"Transfer-Encoding: chunked", b"Transfer-Encoding:  \t", body=CHUNKS)),
    ("identity, then chunked, in two fields", 501,
     post(b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked", body=CHUNKS)),
    ("chunked in quotes of another kind", 501,
     post(b"Transfer-Encoding: 'chunked'", body=CHUNKS)),
    ("a word that ends in chunked", 501, post(b"Transfer-Encoding: not-chunked", body=CHUNKS)),
    ("a word that begins with chunked", 501, post(b"Transfer-Encoding: chunkedness", body=CHUNKS)),
    ("gzip in HTTP/1.0", 501, post(b"Transfer-Encoding: gzip", version=b"HTTP/1.0")),
    ("chunks and a length in HTTP/1.0", 400,
     post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=CHUNKS, version=b"HTTP/1.0")),
    ("a tab before the colon of the coding", 400,
     post(b"Transfer-Encoding\t: chunked", body=CHUNKS)),
    ("a vertical tab before the colon of the coding", 400,
     post(b"Transfer-Encoding\x0b: chunked", body=CHUNKS)),
    ("a NUL in the name of the coding", 400, post(b"Transfer-\0Encoding: chunked", body=CHUNKS)),
    ("an underscore in the name of the coding", 400,
     post(b"Transfer_Encoding: chunked", body=CHUNKS)),
    ("a space before the name of the coding", 400,
     b"POST / HTTP/1.1\r\n Transfer-Encoding: chunked\r\nHost: test\r\n\r\n" + CHUNKS),
    ("a GET with an unknown coding", 501, get(b"Transfer-Encoding: x")),
]

CHUNK_SIZES = [
    ("a chunk size with 0x", 400, with_chunks(b"0x5\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size with a plus", 400, with_chunks(b"+5\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size with a minus", 400, with_chunks(b"-5\r\nhello\r\n0\r\n\r\n")),
    ("a space before a chunk size", 400, with_chunks(b" 5\r\nhello\r\n0\r\n\r\n")),
    ("a space behind a chunk size", 400, with_chunks(b"5 \r\nhello\r\n0\r\n\r\n")),
    ("an underscore in a chunk size", 400, with_chunks(b"0_5\r\nhello\r\n0\r\n\r\n")),
    ("an empty chunk size", 400, with_chunks(b"\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size of 2^64", 400, with_chunks(b"10000000000000000\r\nhello")),
    ("a chunk size of 2^64 + 5", 400, with_chunks(b"10000000000000005\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size ended by LF", 400, with_chunks(b"5\nhello\r\n0\r\n\r\n")),
    ("a chunk size ended by CR", 400, with_chunks(b"5\rhello\r\n0\r\n\r\n")),
    ("a chunk without its CRLF", 400, with_chunks(b"5\r\nhello0\r\n\r\n")),
    ("a chunk ended by LF", 400, with_chunks(b"5\r\nhello\n0\r\n\r\n")),
    ("a chunk longer than its size", 400, with_chunks(b"4\r\nhello\r\n0\r\n\r\n")),
    ("LF in a chunk extension", 400, with_chunks(b"5;a\nb\r\nhello\r\n0\r\n\r\n")),
    ("a NUL in a chunk extension", 400, with_chunks(b"5;\0\r\nhello\r\n0\r\n\r\n")),
    ("20 KiB of chunk extension", 400,
     with_chunks(b"5;" + b"x" * 20480 + b"\r\nhello\r\n0\r\n\r\n")),
    ("a folded trailer", 400, with_chunks(b"0\r\nA: b\r\n c\r\n\r\n")),
    ("a trailer with a NUL", 400, with_chunks(b"0\r\nA: \0\r\n\r\n")),
    ("a trailer that is a request", 400, with_chunks(b"0\r\nGET / HTTP/1.1\r\n\r\n")),
    ("trailers ended by LF", 400, with_chunks(b"0\r\nA: b\n\r\n")),
    ("a last chunk ended by CR and something", 400, with_chunks(b"0\r\n\rX")),
    ("a chunk size with 0X", 400, with_chunks(b"0X5\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size with an h", 400, with_chunks(b"5h\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size with a point", 400, with_chunks(b"5.0\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size with a comma", 400, with_chunks(b"5,5\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size with a NUL", 400, with_chunks(b"5\0\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size with NEL", 400, with_chunks(b"5\x85\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size with a vertical tab", 400, with_chunks(b"5\x0b\r\nhello\r\n0\r\n\r\n")),
    ("a tab behind a chunk size", 400, with_chunks(b"5\t\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size in wide digits", 400,
     with_chunks(b"\xef\xbc\x95\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size of letters that are not hex", 400, with_chunks(b"five\r\nhello\r\n")),
    ("a chunk size of 2^64 - 1", 400, with_chunks(b"ffffffffffffffff\r\nhello")),
    ("a chunk size of 2^63", 400, with_chunks(b"8000000000000000\r\nhello")),
    ("a chunk size of 17 digits", 400, with_chunks(b"00000000000000005\r\nhello\r\n0\r\n\r\n")),
    ("a thousand zeros for the last chunk", 400, with_chunks(b"0" * 1000 + b"\r\n\r\n")),
    ("a last chunk of minus zero", 400, with_chunks(b"-0\r\n\r\n")),
    ("a last chunk of 0x0", 400, with_chunks(b"0x0\r\n\r\n")),
    ("a chunk size ended by CR CR LF", 400, with_chunks(b"5\r\r\nhello\r\n0\r\n\r\n")),
    ("a chunk size ended by LF CR", 400, with_chunks(b"5\n\rhello\r\n0\r\n\r\n")),
    ("a chunk ended by CR", 400, with_chunks(b"5\r\nhello\r0\r\n\r\n")),
    ("a chunk ended by CR CR LF", 400, with_chunks(b"5\r\nhello\r\r\n0\r\n\r\n")),
    ("an empty line between chunks", 400, with_chunks(b"5\r\nhello\r\n\r\n0\r\n\r\n")),
    ("a chunk shorter than its size", 400, with_chunks(b"8\r\nhello\r\n0\r\n\r\n")),
    ("a last chunk ended by LF", 400, with_chunks(b"0\n\r\n")),
    ("a last empty line ended by LF", 400, with_chunks(b"0\r\n\n")),
    ("a last empty line of CR CR LF", 400, with_chunks(b"0\r\n\r\r\n")),
    ("a last chunk with data", 400, with_chunks(b"0\r\nhello\r\n\r\n")),
    ("CR in a chunk extension", 400, with_chunks(b"5;a\rb\r\nhello\r\n0\r\n\r\n")),
    ("an empty chunk extension", 400, with_chunks(b"5;\r\nhello\r\n0\r\n\r\n")),
    ("a chunk extension of LF", 400, with_chunks(b"5;\nhello\r\n0\r\n\r\n")),
    ("a chunk extension without a name", 400, with_chunks(b"5;=b\r\nhello\r\n0\r\n\r\n")),
    ("a chunk extension without its value", 400, with_chunks(b"5;a=\r\nhello\r\n0\r\n\r\n")),
    ("a space in a chunk extension", 400, with_chunks(b"5; a\r\nhello\r\n0\r\n\r\n")),
    ("a space before a chunk extension", 400, with_chunks(b"5 ;a\r\nhello\r\n0\r\n\r\n")),
    ("a quote that is not closed", 400, with_chunks(b'5;a="b\r\nhello\r\n"\r\n0\r\n\r\n')),
    ("CR LF in a quote", 400, with_chunks(b'5;a="\r\nhello\r\n0\r\n\r\n')),
    ("CR in a quote", 400, with_chunks(b'5;a="\r"\r\nhello\r\n0\r\n\r\n')),
    ("LF in a quote", 400, with_chunks(b'5;a="\n"\r\nhello\r\n0\r\n\r\n')),
    ("a line's end that is escaped", 400, with_chunks(b'5;a="\\\r\nhello\r\n0\r\n\r\n')),
    ("LF in the extension of the last chunk", 400, with_chunks(b"0;a\nb\r\n\r\n")),
    ("a trailer without a name", 400, with_chunks(b"0\r\n: b\r\n\r\n")),
    ("a trailer without a colon", 400, with_chunks(b"0\r\nwords\r\n\r\n")),
    ("a space before the colon of a trailer", 400, with_chunks(b"0\r\nA : b\r\n\r\n")),
    ("a space before a trailer", 400, with_chunks(b"0\r\n A: b\r\n\r\n")),
    ("CR in a trailer", 400, with_chunks(b"0\r\nA: b\rc\r\n\r\n")),
    ("trailers that end with LF", 400, with_chunks(b"0\r\nA: b\r\n\n")),
    ("20 KiB of trailers", 400, with_chunks(b"0\r\nA: " + b"b" * 20480 + b"\r\n\r\n")),
]

FIELD_LINES = [
    ("a space before a colon", 400, get(b"X : y")),
    ("a tab before a colon", 400, get(b"X\t: y")),
    ("a folded field", 400, get(b"X: a\r\n b")),
    ("a field folded with a tab", 400, get(b"X: a\r\n\tb")),
    ("a space before the first field", 400, b"GET / HTTP/1.1\r\n Host: test\r\n\r\n"),
    ("a field ended by LF", 400, get(b"X: a\nY: b")),
    ("a request line ended by LF", 400, b"GET / HTTP/1.1\nHost: test\r\n\r\n"),
    ("a head ended by LF", 400, b"GET / HTTP/1.1\r\nHost: test\r\n\n"),
    ("CR in a value", 400, get(b"X: a\rb")),
    ("CR CR LF", 400, get(b"X: a\r")),
    ("NUL in a value", 400, get(b"X: a\0b")),
    ("a control byte in a value", 400, get(b"X: a\x01b")),
    ("DEL in a value", 400, get(b"X: a\x7fb")),
    ("NUL in a name", 400, get(b"X\0Y: a")),
    ("a control byte in a name", 400, get(b"X\x1fY: a")),
    ("a byte above 127 in a name", 400, get(b"X\xe4: a")),
    ("a space in a name", 400, get(b"X Y: a")),
    ("a bracket in a name", 400, get(b"X(: a")),
    ("an empty name", 400, get(b": a")),
    ("a line without a colon", 400, get(b"just words")),
    ("a Connection option that is no token", 400, get(b"Connection: close, a b")),
    ("101 fields", 431, get(*[b"X: y"] * 100)),
    ("a vertical tab before a colon", 400, get(b"X\x0b: y")),
    ("a vertical tab in a value", 400, get(b"X: a\x0bb")),
    ("a form feed in a value", 400, get(b"X: \x0c")),
    ("a bell in a value", 400, get(b"X: a\x07")),
    ("an escape in a value", 400, get(b"X: \x1b[2J")),
    ("NUL for a value", 400, get(b"X: \0")),
    ("NUL at the start of a line", 400, get(b"\0X: y")),
    ("CR at the start of a line", 400, get(b"\rX: y")),
    ("a tab at the start of a line", 400, get(b"\tX: y")),
    ("a fold of nothing", 400, get(b"X: y\r\n ")),
    ("a folded line without a colon", 400, get(b"X: y\r\n z\r\n w")),
    ("a folded Expect", 400, post(b"Expect:\r\n 100-continue", b"Content-Length: 5")),
    ("a folded Connection", 400, get(b"Connection: close,\r\n keep-alive")),
    ("a field split before its colon", 400, get(b"X\r\n: y")),
    ("a line that is a colon", 400, get(b":")),
    ("a line that is a request line", 400, get(b"GET / HTTP/1.1")),
    ("a semicolon for a colon", 400, get(b"X; y")),
    ("a semicolon in a name", 400, get(b"X;Y: a")),
    ("a quote in a name", 400, get(b'"X": a')),
    ("a slash in a name", 400, get(b"X/Y: a")),
    ("an at sign in a name", 400, get(b"X@Y: a")),
    ("a comma in a name", 400, get(b"X,Y: a")),
    ("a brace in a name", 400, get(b"X{: a")),
    ("a backslash in a name", 400, get(b"X\\: a")),
    ("an equals sign in a name", 400, get(b"X=Y: a")),
    ("NEL behind a name", 400, get(b"X\x85: a")),
    ("a letter that is no ASCII but looks like it", 400, get(b"\xd0\xa5: a")),
    ("LF LF for the end", 400, b"GET / HTTP/1.1\r\nHost: test\n\n"),
    ("CR CR for the end", 400, b"GET / HTTP/1.1\r\nHost: test\r\r\r\n\r\n"),
    ("LF CR LF for the end", 400, b"GET / HTTP/1.1\r\nHost: test\n\r\n"),
    ("X_Forwarded_For", 400, get(b"X_Forwarded_For: 10.0.0.1")),
    ("x-forwarded_proto", 400, get(b"x-forwarded_proto: https")),
    ("a Connection option in quotes", 400, get(b'Connection: "close"')),
    ("a Connection option with a semicolon", 400, get(b"Connection: close;x")),
    ("a Connection option with a NUL", 400, get(b"Connection: close\0")),
    ("33 Connection options", 400, get(b"Connection: " + b",".join([b"x"] * 33))),
    ("8000 empty Connection options", 400, get(b"Connection: " + b"," * 8000)),
    ("101 fields in HTTP/1.0", 431, get(*[b"X: y"] * 100, version=b"HTTP/1.0")),
    ("500 fields of nothing", 431, get(*[b"X:"] * 500)),
    ("a head that fits, but not with what we add", 431,
     get(*[b"X: " + b"y" * 4000] * 8, b"Y: " + b"y" * 670)),
    ("a head of 33 KiB", 431, get(*[b"X: " + b"y" * 4000] * 8, b"Y: " + b"y" * 1100)),
    ("one field of 40 KiB", 431, get(b"X: " + b"y" * 40960)),
]

HOSTS = [
    ("no Host", 400, get(host=None)),
    ("two Hosts that agree", 400, get(b"Host: test")),
    ("two Hosts that differ", 400, get(b"Host: other")),
    ("an empty Host", 400, get(host=b"Host:")),
    ("a Host with a space", 400, get(host=b"Host: te st")),
    ("a Host with a path", 400, get(host=b"Host: test/path")),
    ("a Host with a user", 400, get(host=b"Host: user@test")),
    ("a list of Hosts", 400, get(host=b"Host: one, two")),
    ("a Host with letters for a port", 400, get(host=b"Host: test:abc")),
    ("a Host with two ports", 400, get(host=b"Host: test:80:81")),
    ("a Host with a quote", 400, get(host=b'Host: te"st')),
    ("a Host above 127", 400, get(host=b"Host: t\xe4st")),
    ("a Host that is an unfinished IPv6", 400, get(host=b"Host: [::1")),
    ("a Host that is IPv6 and more", 400, get(host=b"Host: [::1]x")),
    ("a Host with a port above 65535", 400, get(host=b"Host: test:65536")),
    ("a Host with a port far above 65535", 400, get(host=b"Host: test:4294967376")),
    ("a Host with port 0", 400, get(host=b"Host: test:0")),
    ("a Host with a negative port", 400, get(host=b"Host: test:-80")),
    ("a Host with a signed port", 400, get(host=b"Host: test:+80")),
    ("a Host with a port of spaces", 400, get(host=b"Host: test: 80")),
    ("a Host that is a port", 400, get(host=b"Host: :80")),
    ("a Host with a query", 400, get(host=b"Host: test?x")),
    ("a Host with a fragment", 400, get(host=b"Host: test#x")),
    ("a Host that is a URL", 400, get(host=b"Host: http://test/")),
    ("a Host with a backslash", 400, get(host=b"Host: test\\other")),
    ("a Host with a user and a password", 400, get(host=b"Host: a:b@test")),
    ("a percent-encoded Host", 400, get(host=b"Host: te%73t")),
    ("a Host with %00", 400, get(host=b"Host: test%00")),
    ("a Host with %0d%0a", 400, get(host=b"Host: test%0d%0aX:y")),
    ("a Host with a tab inside", 400, get(host=b"Host: te\tst")),
    ("a Host with a NUL", 400, get(host=b"Host: test\0")),
    ("a Host with CR", 400, get(host=b"Host: test\rHost: other")),
    ("a Host of several lines", 400, get(host=b"Host: test\r\n other")),
    ("a Host on a folded line", 400, get(host=b"Host:\r\n test")),
    ("a Host with a space before its colon", 400, get(host=b"Host : test")),
    ("a Host in other letters", 400, get(host=b"Host: t\xd0\xb5st")),
    ("a list of Hosts without spaces", 400, get(host=b"Host: one,two")),
    ("a Host that is IPv6 without brackets", 400, get(host=b"Host: ::1")),
    ("a Host of empty brackets", 400, get(host=b"Host: []")),
    ("a Host of IPv6 with a zone", 400, get(host=b"Host: [fe80::1%25eth0]")),
    ("a Host of IPv6 that is too short", 400, get(host=b"Host: [1:2:3]")),
    ("a Host of IPv6 with two gaps", 400, get(host=b"Host: [1::2::3]")),
    ("a Host of IPv4 in brackets", 400, get(host=b"Host: [127.0.0.1]")),
    ("a Host of a future address", 400, get(host=b"Host: [v1.x]")),
    ("a Host of IPv6 with a bad port", 400, get(host=b"Host: [::1]:99999")),
    ("a Host and another behind other fields", 400, get(b"X: y", b"hOST: other")),
    ("two Hosts, one of them empty", 400, get(b"Host:")),
    ("two Hosts in HTTP/1.0", 400, get(b"Host: test", version=b"HTTP/1.0")),
    ("an empty Host in HTTP/1.0", 400, get(host=b"Host:", version=b"HTTP/1.0")),
    ("an absolute target without a Host", 400, get(host=None, target=b"http://test/")),
    ("a bad Host in HTTP/1.0", 400, get(host=b"Host: a b", version=b"HTTP/1.0")),
]

REQUEST_LINES = [
    ("an absolute target that is not the Host", 400, get(target=b"http://other/")),
    ("an absolute target with a user", 400, get(target=b"http://user@test/")),
    ("an absolute target of another scheme", 400, get(target=b"ftp://test/")),
    ("CONNECT", 405, get(method=b"CONNECT", target=b"test:80", host=b"Host: test:80")),
    ("CONNECT with a path", 405, get(method=b"CONNECT")),
    ("* with GET", 400, get(target=b"*")),
    ("a relative target", 400, get(target=b"path")),
    ("a fragment", 400, get(target=b"/path#fragment")),
    ("a fragment in an absolute target", 400, get(target=b"http://test/#fragment")),
    ("NUL in a target", 400, get(target=b"/\0")),
    ("a control byte in a target", 400, get(target=b"/\x1f")),
    ("a tab in a target", 400, get(target=b"/a\tb")),
    ("a space in a target", 400, get(target=b"/a b")),
    ("a byte above 127 in a target", 400, get(target=b"/\xe4")),
    ("a target of 9 KiB", 414, get(target=b"/" + b"a" * 9216)),
    ("a target of 40 KiB", 414, get(target=b"/" + b"a" * 40960)),
    ("HTTP/2.0", 505, get(version=b"HTTP/2.0")),
    ("HTTP/0.9", 505, get(version=b"HTTP/0.9")),
    ("the preface of HTTP/2", 505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("HTTP/1.10", 400, get(version=b"HTTP/1.10")),
    ("HTTP/01.1", 400, get(version=b"HTTP/01.1")),
    ("http/1.1", 400, get(version=b"http/1.1")),
    ("HTTP/1,1", 400, get(version=b"HTTP/1,1")),
    ("HTTP 1.1", 400, get(version=b"HTTP 1.1")),
    ("no version", 400, b"GET /\r\nHost: test\r\n\r\n"),
    ("a version and a space", 400, get(version=b"HTTP/1.1 ")),
    ("two spaces before the target", 400, get(target=b" /")),
    ("two spaces behind the target", 400, get(target=b"/ ")),
    ("a tab for a space", 400, b"GET\t/ HTTP/1.1\r\nHost: test\r\n\r\n"),
    ("a space before the method", 400, get(method=b" GET")),
    ("a method that is no token", 400, get(method=b"GE(T")),
    ("an empty method", 400, get(method=b"")),
    ("five empty lines", 400, b"\r\n" * 5 + get()),
    ("LF before the request", 400, b"\n" + get()),
    ("the start of TLS", 400, b"\x16\x03\x01\x00\x05\x01\r\n\r\n"),
    ("HTTP/1.2", 505, get(version=b"HTTP/1.2")),
    ("HTTP/1.9", 505, get(version=b"HTTP/1.9")),
    ("HTTP/3.0", 505, get(version=b"HTTP/3.0")),
    ("HTTP/2", 400, get(version=b"HTTP/2")),
    ("HTTP/1.1.1", 400, get(version=b"HTTP/1.1.1")),
    ("HTTP/1.", 400, get(version=b"HTTP/1.")),
    ("HTTP/+1.1", 400, get(version=b"HTTP/+1.1")),
    ("HTTP/1.1 twice", 400, get(version=b"HTTP/1.1 HTTP/1.1")),
    ("HTTPS/1.1", 400, get(version=b"HTTPS/1.1")),
    ("RTSP/1.0", 400, get(version=b"RTSP/1.0")),
    ("Http/1.1", 400, get(version=b"Http/1.1")),
    ("a version with a NUL", 400, get(version=b"HTTP/1.1\0")),
    ("a version with CR", 400, get(version=b"HTTP/1.1\r")),
    ("a version with a tab", 400, get(version=b"HTTP/1.1\t")),
    ("an absolute target of https", 400, get(target=b"https://test/")),
    ("an absolute target with a port that Host has not", 400, get(target=b"http://test:80/")),
    ("an absolute target with one slash", 400, get(target=b"http:/test/")),
    ("an absolute target without slashes", 400, get(target=b"http:test/")),
    ("an absolute target without a host", 400, get(target=b"http:///")),
    ("an absolute target that ends in another host", 400, get(target=b"http://test@other/")),
    ("an absolute target with a backslash", 400, get(target=b"http://test\\@other/")),
    ("an absolute target, percent-encoded", 400, get(target=b"http://te%73t/")),
    ("a target that is a host and a port", 400, get(target=b"test:80")),
    ("a target that is a query", 400, get(target=b"?q")),
    ("a target that is a backslash", 400, get(target=b"\\")),
    ("OPTIONS of **", 400, get(method=b"OPTIONS", target=b"**")),
    ("OPTIONS of a host and a port", 400, get(method=b"OPTIONS", target=b"test:80")),
    ("POST of *", 400, get(b"Content-Length: 0", method=b"POST", target=b"*")),
    ("CONNECT with an absolute target", 405, get(method=b"CONNECT", target=b"http://test/")),
    ("CONNECT of *", 405, get(method=b"CONNECT", target=b"*")),
    ("CONNECT with a body", 405,
     get(b"Content-Length: 5", method=b"CONNECT", target=b"test:80") + b"hello"),
    ("connect, in small letters", 400, get(method=b"connect", target=b"test:80")),
    ("a vertical tab for a space", 400, b"GET\x0b/ HTTP/1.1\r\nHost: test\r\n\r\n"),
    ("a form feed for a space", 400, b"GET /\x0cHTTP/1.1\r\nHost: test\r\n\r\n"),
    ("a no-break space for a space", 400, b"GET\xa0/ HTTP/1.1\r\nHost: test\r\n\r\n"),
    ("CR for a space", 400, b"GET\r/ HTTP/1.1\r\nHost: test\r\n\r\n"),
    ("CR in a target", 400, get(target=b"/\rX")),
    ("NEL in a target", 400, get(target=b"/\x85")),
    ("no target", 400, b"GET HTTP/1.1\r\nHost: test\r\n\r\n"),
    ("only a method", 400, b"GET\r\nHost: test\r\n\r\n"),
    ("a method with a colon", 400, get(method=b"GET:")),
    ("a method in quotes", 400, get(method=b'"GET"')),
    ("a method above 127", 400, get(method=b"G\xc3\x89T")),
    ("a method with a NUL", 400, get(method=b"G\0ET")),
    ("a method of 9 KiB", 414, get(method=b"A" * 9216)),
    ("a target one above the limit", 414, get(target=b"/" + b"a" * 8177)),
    ("a byte order mark", 400, b"\xef\xbb\xbf" + get()),
    ("a NUL before the request", 400, b"\0" + get()),
    ("a line of spaces before the request", 400, b"  \r\n" + get()),
    ("CR before the request", 400, b"\r" + get()),
    ("SSH", 400, b"SSH-2.0-client\r\n\r\n"),
    ("SMTP", 400, b"EHLO test\r\n\r\n"),
    ("an answer", 400, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ("an empty Expect", 417, post(b"Expect:", b"Content-Length: 5")),
    ("Expect: 100-continue twice in a list", 417,
     post(b"Expect: 100-continue, 100-continue", b"Content-Length: 5")),
    ("Expect: 100-continue with a parameter", 417,
     post(b"Expect: 100-continue;x", b"Content-Length: 5")),
    ("Expect: 100 continue", 417, post(b"Expect: 100 continue", b"Content-Length: 5")),
    ("two expectations", 417,
     post(b"Expect: 100-continue", b"Expect: 200-ok", b"Content-Length: 5")),
    ("Expect: something", 417, post(b"Expect: something", b"Content-Length: 5")),
    ("Expect: 100-continue and something", 417,
     post(b"Expect: 100-continue, something", b"Content-Length: 5")),
]

# What is unusual, but right: the request, and what the backend has to get of it.
PASSED_ON = [
    ("four empty lines", b"\r\n" * 4 + get(), {}),
    ("white space around chunked", post(b"Transfer-Encoding: \t chunked \t", body=CHUNKS),
     {"body": b"hello", "Transfer-Encoding": ["chunked"]}),
    ("chunked in capitals", post(b"TRANSFER-ENCODING: CHUNKED", body=CHUNKS),
     {"body": b"hello", "Transfer-Encoding": ["chunked"]}),
    ("leading zeros in a length", post(b"Content-Length: 0005"),
     {"body": b"hello", "Content-Length": ["5"]}),
    ("a length of 18 digits", post(b"Content-Length: 000000000000000005"),
     {"body": b"hello", "Content-Length": ["5"]}),
    ("white space around a length", post(b"Content-Length: \t 5 \t"),
     {"body": b"hello", "Content-Length": ["5"]}),
    ("a chunk size of 15 digits", with_chunks(b"000000000000005\r\nhello\r\n0\r\n\r\n"),
     {"body": b"hello"}),
    ("chunks in capitals", with_chunks(b"A\r\n0123456789\r\n0\r\n\r\n"),
     {"body": b"0123456789"}),
    ("chunk extensions", with_chunks(b'5;a;b=c;d="e;\\"f"\r\nhello\r\n0;g\r\n\r\n'),
     {"body": b"hello"}),
    ("trailers", with_chunks(b"5\r\nhello\r\n0\r\nA: b\r\nC:\r\n\r\n"), {"body": b"hello"}),
    ("a body of line ends", with_chunks(b"4\r\n\r\n\r\n\r\n0\r\n\r\n"), {"body": b"\r\n\r\n"}),
    ("a body that is a request", post(b"Content-Length: %d" % len(GOOD), body=GOOD),
     {"body": GOOD}),
    ("a GET with a body", get(b"Content-Length: 5") + b"hello", {"body": b"hello"}),
    ("a DELETE with chunks", get(b"Transfer-Encoding: chunked", method=b"DELETE") + CHUNKS,
     {"body": b"hello"}),
    ("Expect: 100-CONTINUE with its body", post(b"Expect: 100-CONTINUE", b"Content-Length: 5"),
     {"body": b"hello", "Expect": []}),
    ("an expectation of HTTP/1.0",
     post(b"Expect: 100-continue", b"Content-Length: 5", version=b"HTTP/1.0"),
     {"body": b"hello", "Expect": []}),
    ("100 fields", get(*[b"X: y"] * 99), {}),
    ("a target at the limit", get(target=b"/" + b"a" * 8176), {}),
    ("a head just below the limit", get(*[b"X: " + b"y" * 4000] * 8, b"Y: " + b"y" * 500), {}),
    ("32 Connection options", get(b"Connection: " + b",".join([b"x"] * 32)), {"Connection": []}),
    ("empty Connection options", get(b"Connection: , ,x,,"), {"Connection": []}),
    ("HTTP/1.0 without a Host", get(host=None, version=b"HTTP/1.0"), {"Host": [""]}),
    ("a Host with a port", get(host=b"Host: [::1]:8080"), {"Host": ["[::1]:8080"]}),
    ("a Host with the last port", get(host=b"Host: test:65535"), {"Host": ["test:65535"]}),
    ("a Host with a colon and no port", get(host=b"Host: test:"), {"Host": ["test:"]}),
    ("a Host with the dot of a whole name", get(host=b"Host: test."), {"Host": ["test."]}),
    ("an absolute target in capitals", get(target=b"HTTP://TEST/x"),
     {"Host": ["test"], "target": "/x"}),
    ("an absolute target without a path", get(target=b"http://test"), {"target": "/"}),
    ("OPTIONS of all", get(method=b"OPTIONS", target=b"*"), {"target": "*"}),
    ("OPTIONS of all, absolute", get(method=b"OPTIONS", target=b"http://test"), {"target": "*"}),
    ("a method in small letters", get(method=b"get"), {"method": "get"}),
    ("a method nobody knows", get(method=b"M-SEARCH"), {"method": "M-SEARCH"}),
    ("two slashes", get(target=b"//other/x"), {"target": "//other/x"}),
    ("an empty value", get(b"X:"), {"X": [""]}),
    ("white space around a value", get(b"X: \t y z \t"), {"X": ["y z"]}),
    ("a value above 127", get(b"X: \xe4"), {"X": ["\xe4"]}),
    ("an underscore in a name", get(b"x_y: z"), {"x_y": ["z"]}),
    ("framing and forwarding named by Connection",
     post(b"Connection: Host, Content-Length, X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host",
          b"Content-Length: 5"),
     {"body": b"hello", "Host": ["test"], "Content-Length": ["5"],
      "X-Forwarded-For": ["127.0.0.1"], "X-Forwarded-Proto": ["http"],
      "X-Forwarded-Host": ["test"]}),
    ("the coding named by Connection",
     post(b"Connection: close, Transfer-Encoding", b"Transfer-Encoding: chunked", body=CHUNKS),
     {"body": b"hello", "Transfer-Encoding": ["chunked"]}),
    ("fields of this hop",
     get(b"Connection: x-mine, TE, Upgrade, HTTP2-Settings", b"X-Mine: 1", b"TE: gzip",
         b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk", b"Keep-Alive: timeout=5",
         b"Proxy-Connection: keep-alive", b"X-Other: 2"),
     {"X-Mine": [], "TE": [], "Upgrade": [], "HTTP2-Settings": [], "Keep-Alive": [],
      "Proxy-Connection": [], "Connection": [], "X-Other": ["2"]}),
    ("addresses that nobody vouches for",
     get(b"X-Forwarded-For: 10.0.0.1", b"x-forwarded-proto: https", b"X-FORWARDED-HOST: other"),
     {"X-Forwarded-For": ["127.0.0.1"], "X-Forwarded-Proto": ["http"],
      "X-Forwarded-Host": ["test"]}),
]

# Behind a request that is refused. Whoever reads on gives it to the backend.
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n"


class HostileRequests(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.backend = cls.enterClassContext(Backend())
        cls.daemon = cls.enterClassContext(Lbd(http_config([cls.backend])))

    def refuse(self, rows):
        for name, status, request in rows:
            with self.subTest(name):
                self.backend.heads.clear()
                client = self.client(self.daemon.address())
                client.send(request + SMUGGLED)
                response = client.read_response()
                self.assertEqual(response.status, status)
                self.assertEqual(response["Connection"], "close")
                # On the same connection nothing more is read, and on the next all is well.
                self.assertTrue(client.is_closed(), "the connection stayed open")
                self.assertEqual(self.client(self.daemon.address()).get("/good").status, 200)
                self.assertEqual([head.target for head in self.backend.heads], ["/good"])

    def test_ambiguous_lengths_are_refused(self):
        self.refuse(LENGTHS)

    def test_transfer_codings_other_than_chunked_are_refused(self):
        self.refuse(CODINGS)

    def test_bad_chunks_are_refused(self):
        self.refuse(CHUNK_SIZES)

    def test_bad_field_lines_are_refused(self):
        self.refuse(FIELD_LINES)

    def test_bad_hosts_are_refused(self):
        self.refuse(HOSTS)

    def test_bad_request_lines_are_refused(self):
        self.refuse(REQUEST_LINES)

    def test_what_cannot_become_a_request_is_not_waited_for(self):
        # Nothing follows these, and none of them has the empty line that ends a head. The time for
        # a head would end in 408.
        for name, beginning in (("HTTP/0.9", b"GET /\r\n"),
                                ("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n"),
                                ("a TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03"),
                                ("lines that end in CR", b"GET / HTTP/1.1\rHost: test\r\r"),
                                ("NUL", b"\0")):
            with self.subTest(name):
                client = self.client(self.daemon.address())
                client.send(beginning)
                self.assertEqual(client.read_response().status, 400)
                self.assertTrue(client.is_closed())

    def test_what_is_refused_hides_nothing_behind_it(self):
        self.backend.heads.clear()
        client = self.client(self.daemon.address())
        client.send(get(b"Content-Length: 4", b"Content-Length: 5") + GOOD + GOOD)
        self.assertEqual(client.read_response().status, 400)
        self.assertTrue(client.is_closed())
        self.assertEqual(self.client(self.daemon.address()).get("/last").status, 200)
        self.assertEqual([head.target for head in self.backend.heads], ["/last"])

    def test_a_bad_request_behind_a_good_one_does_not_spoil_it(self):
        client = self.client(self.daemon.address())
        client.send(GOOD + get(b"X : y"))
        self.assertEqual([client.read_response().status for _ in range(2)], [200, 400])
        self.assertTrue(client.is_closed())

    def test_a_bad_chunk_that_comes_later_never_completes_the_request(self):
        done = len(self.backend.requests)
        client = self.client(self.daemon.address())
        client.send(get(b"Transfer-Encoding: chunked", target=b"/later", method=b"POST")
                    + b"5\r\nhello\r\n")
        self.until(lambda: self.backend.heads and self.backend.heads[-1].target == "/later")
        client.send("0x5\r\nhello\r\n0\r\n\r\n")
        self.assertEqual(client.read_response().status, 400)
        self.assertTrue(client.is_closed())
        self.assertEqual(len(self.backend.requests), done)

    def test_unusual_but_good_requests_are_passed_on(self):
        for name, request, expected in PASSED_ON:
            with self.subTest(name):
                self.backend.requests.clear()
                client = self.client(self.daemon.address())
                client.send(request)
                self.assertEqual(client.read_response().status, 200)
                [got] = self.backend.requests
                for key, value in expected.items():
                    found = getattr(got, key) if key in ("body", "target", "method") \
                        else got.all(key)
                    self.assertEqual(found, value, key)

    def test_bodies_that_look_like_requests_are_bodies(self):
        bodies = [
            (get(b"Content-Length: %d" % len(SMUGGLED), method=b"GET"), SMUGGLED),
            (post(b"Content-Length: %d" % len(SMUGGLED), body=b""), SMUGGLED),
            (post(b"Transfer-Encoding: chunked", body=b""),
             b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)),
        ]
        self.backend.requests.clear()
        client = self.client(self.daemon.address())
        client.send(b"".join(head + body for head, body in bodies) + GOOD)
        self.assertEqual([client.read_response().status for _ in range(4)], [200] * 4)
        self.assertEqual(self.backend.targets(), ["/", "/", "/", "/good"])

    def test_nothing_is_read_behind_the_last_request_of_a_connection(self):
        for name, last in (("close", get(b"Connection: close")),
                           ("HTTP/1.0", get(version=b"HTTP/1.0")),
                           ("close with keep-alive", get(b"Connection: keep-alive, close"))):
            with self.subTest(name):
                self.backend.requests.clear()
                client = self.client(self.daemon.address())
                client.send(last + SMUGGLED)
                self.assertEqual(client.read_response().status, 200)
                self.assertTrue(client.is_closed())
                self.assertEqual(self.backend.targets(), ["/"])

    def test_a_request_byte_by_byte_is_the_request_in_one_piece(self):
        request = post(b"Transfer-Encoding: chunked", body=b"5;a=b\r\nhello\r\n0\r\nT: x\r\n\r\n")
        self.backend.requests.clear()
        client = self.client(self.daemon.address())
        for n in range(len(request)):
            client.send(request[n:n + 1])
        self.assertEqual(client.read_response().status, 200)
        self.assertEqual([got.body for got in self.backend.requests], [b"hello"])

    def test_there_are_enough_of_them(self):
        rows = LENGTHS + CODINGS + CHUNK_SIZES + FIELD_LINES + HOSTS + REQUEST_LINES
        self.assertGreaterEqual(len(rows), 200)
        self.assertEqual(len({name for name, _, _ in rows}), len(rows), "a name twice")

    def test_refusals_are_counted_and_logged_without_breaking_a_line(self):
        before = self.daemon.metrics()["listeners"][0]["rejected"]
        lines = len(self.daemon.access_lines)
        client = self.client(self.daemon.address())
        client.send(get(b'X : "}\r\n{"forged": 1}'))
        self.assertEqual(client.read_response().status, 400)
        self.assertEqual(self.daemon.metrics()["listeners"][0]["rejected"], before + 1)
        last = self.daemon.access(lines + 1)[-1]
        self.assertEqual((last["status"], last["outcome"]), (400, "rejected"))


class BodyLimits(EndToEnd):
    def setUp(self):
        self.backend = self.enterContext(Backend())
        daemon = self.lbd(http_config([self.backend], listener={"max_body": "1KiB"}))
        self.address = daemon.address()

    def test_a_length_above_the_limit_is_413_and_the_backend_sees_nothing(self):
        client = self.client(self.address)
        client.request("/", "Content-Length: 1025", method="POST")
        self.assertEqual(client.read_response().status, 413)
        self.assertTrue(client.is_closed())
        self.assertEqual(self.backend.heads, [])

    def test_chunks_above_the_limit_are_413_and_never_a_whole_request(self):
        client = self.client(self.address)
        client.request("/", "Transfer-Encoding: chunked", method="POST")
        for _ in range(3):
            client.send(b"200\r\n" + b"x" * 512 + b"\r\n")
        client.send("0\r\n\r\n")
        self.assertEqual(client.read_response().status, 413)
        self.assertTrue(client.is_closed())
        self.assertEqual(self.client(self.address).get("/good").status, 200)
        self.assertEqual(self.backend.targets(), ["/good"])

    def test_a_body_at_the_limit_passes(self):
        client = self.client(self.address)
        self.assertEqual(client.get(method="POST", body=b"x" * 1024).status, 200)


if __name__ == "__main__":
    unittest.main()
