#!/usr/bin/python3 -B
"""A server of oslo.messaging with the methods of examples/oslo/oslo_server: `oslo_peer.py URL EXCHANGE TOPIC SERVER`.
Prints READY when it consumes, and ends when somebody calls `shutdown`."""

import sys
import threading
import time

import oslo_messaging as om
from oslo_config import cfg


class CustomError(Exception):
    def __init__(self, message, code=0):
        super().__init__(message)
        self.kwargs = {"code": code}


class Methods:
    target = om.Target(version="1.3")

    def __init__(self, name):
        self.name, self.kept, self.counts, self.lock = name, [], {}, threading.Lock()

    def _counted(self, method):
        with self.lock:
            self.counts[method] = self.counts.get(method, 0) + 1

    def echo(self, ctxt, **kw):
        self._counted("echo")
        return kw

    def add(self, ctxt, a, b):
        return a + b

    def concat(self, ctxt, parts):
        return "".join(parts)

    def none(self, ctxt):
        return None

    def ctxt(self, ctxt):
        return ctxt

    def note(self, ctxt, **kw):
        with self.lock:
            self.kept.append(kw)

    def notes(self, ctxt):
        return self.kept

    def count(self, ctxt, method):
        return self.counts.get(method, 0)

    @om.expected_exceptions(LookupError)
    def fail(self, ctxt, kind, message):
        if kind == "custom":
            raise CustomError(message, code=42)
        raise {"value": ValueError, "runtime": RuntimeError, "key": KeyError, "expected": LookupError}[kind](message)

    def slow(self, ctxt, seconds):
        time.sleep(seconds)
        return seconds

    def big(self, ctxt, n):
        return "x" * n

    def whoami(self, ctxt):
        return self.name

    def types(self, ctxt):
        return {"null": None, "true": True, "int": 42, "negative": -7, "big": 1 << 60, "float": 2.5,
                "text": "h\u00e9llo \U0001F407", "list": [1, "two", None], "object": {"a": {"b": 1}}}

    def _hidden(self, ctxt):
        return "seen"


class Control:
    target = om.Target(namespace="control", version="2.0")

    def __init__(self):
        self.ended = threading.Event()

    def ping(self, ctxt):
        return "pong"

    def shutdown(self, ctxt):
        self.ended.set()


def main():
    url, exchange, topic, name = sys.argv[1:]
    conf = cfg.ConfigOpts()
    conf([])
    control = Control()
    server = om.get_rpc_server(om.get_rpc_transport(conf, url=url),
                               om.Target(exchange=exchange, topic=topic, server=name), [Methods(name), control],
                               executor="threading", access_policy=om.DefaultRPCAccessPolicy)
    server.start()
    time.sleep(0.5)  # nothing tells when it consumes
    print("READY", flush=True)
    control.ended.wait(120)
    server.stop()
    server.wait()


if __name__ == "__main__":
    main()
