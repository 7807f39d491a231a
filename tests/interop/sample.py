"""A message with every property and every type of field, as pika has it: the twin of sample.hpp."""
import datetime
import decimal

import pika
from pika.compat import long

BODY = b"a body with \0 and \xff in it"


def of_pika():
    """The fields that pika can write."""
    return {
        "V": None,
        "t": True,
        "t off": False,
        "I": -2000000000,
        "l": long(1234567890123456789),
        "D": decimal.Decimal("3.14"),
        "D negative": decimal.Decimal("-2.718"),
        "D whole": decimal.Decimal(42),
        "S": "text: Hase, 野兎",
        "S empty": "",
        "x": b"\0\x80\xff",
        "T": datetime.datetime(2023, 11, 14, 22, 13, 20),
        "A": [1, "two", [True, None], {"in": "an array"}],
        "A empty": [],
        "F": {"deep": {"deeper": []}, "": "a name may be empty"},
        "F empty": {},
    }


def for_pika():
    """And those that it only reads."""
    return {**of_pika(), "b": 100, "B": 101, "s": -20000, "u": 60000, "i": 4000000000,
            "f": 1024, "d": -65536}


def properties(headers):
    return pika.BasicProperties(
        content_type="application/x-sample", content_encoding="identity", headers=headers,
        delivery_mode=2, priority=7, correlation_id="correlation 1", reply_to="reply.here",
        expiration="600000", message_id="message 1", timestamp=1700000001, type="sample",
        user_id="guest", app_id="test", cluster_id="cluster 1")


def typed(value):
    """The value with the types of all its parts, for a comparison that knows 1 from True."""
    if isinstance(value, dict):
        return {key: typed(part) for key, part in value.items()}
    if isinstance(value, list):
        return [typed(part) for part in value]
    return (type(value).__name__.replace("long", "int"), value)


def difference(received, headers):
    """What is wrong with received properties, or an empty string."""
    expected = properties(headers).__dict__
    wrong = [f"{name}: {value!r} and not {expected[name]!r}"
             for name, value in received.__dict__.items() if typed(value) != typed(expected[name])]
    return "; ".join(wrong)
