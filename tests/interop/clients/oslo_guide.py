#!/usr/bin/python3 -B
"""The programs of examples/oslo/guide_*.cpp with oslo.messaging itself:

    oslo_guide.py server URL EXCHANGE TOPIC SERVER        until somebody calls `stop`
    oslo_guide.py listen URL EXCHANGE TOPIC EXPECT        until it has heard so many
    oslo_guide.py notify URL EXCHANGE TOPIC PUBLISHER     two that pass the listener's filters, and two that do not

The first two print READY when they consume."""

import json
import sys
import threading
import time

import oslo_messaging as om
from oslo_config import cfg


class ServerControlEndpoint:
    target = om.Target(namespace="control", version="2.0")

    def __init__(self, stopped):
        self.stopped = stopped

    def stop(self, ctxt):
        self.stopped.set()


class TestEndpoint:
    def test(self, ctxt, arg):
        return arg


class Hearing:
    """Prints what it hears, and says when it was enough."""

    def __init__(self, left):
        self.left, self.enough, self.lock = left, threading.Event(), threading.Lock()

    def hear(self, priority, publisher_id, event_type, payload):
        with self.lock:
            print(f"{priority} from {publisher_id}: {event_type} {json.dumps(payload, separators=(',', ':'))}", flush=True)
            self.left -= 1
            if self.left == 0:
                self.enough.set()


class NotificationEndpoint:
    filter_rule = om.NotificationFilter(publisher_id="^compute")

    def __init__(self, hearing):
        self.hearing = hearing

    def warn(self, ctxt, publisher_id, event_type, payload, metadata):
        self.hearing.hear("warn", publisher_id, event_type, payload)


class ErrorEndpoint:
    filter_rule = om.NotificationFilter(event_type=r"^instance\..*\.start$", context={"project_id": "^field-"})

    def __init__(self, hearing):
        self.hearing = hearing

    def error(self, ctxt, publisher_id, event_type, payload, metadata):
        self.hearing.hear("error", publisher_id, event_type, payload)


def consume(server, ended):
    server.start()
    time.sleep(0.5)  # nothing tells when it consumes
    print("READY", flush=True)
    ended.wait(120)
    server.stop()
    server.wait()


def serve(conf, url, exchange, topic, name):
    stopped = threading.Event()
    endpoints = [ServerControlEndpoint(stopped), TestEndpoint()]
    consume(om.get_rpc_server(om.get_rpc_transport(conf, url=url), om.Target(exchange=exchange, topic=topic, server=name),
                              endpoints, executor="threading", access_policy=om.DefaultRPCAccessPolicy), stopped)


def listen(conf, url, exchange, topic, expect):
    hearing = Hearing(int(expect))
    endpoints = [NotificationEndpoint(hearing), ErrorEndpoint(hearing)]
    consume(om.get_notification_listener(om.get_notification_transport(conf, url=url),
                                         [om.Target(exchange=exchange, topic=topic)], endpoints, executor="threading"),
            hearing.enough)


def notify(conf, url, exchange, topic, publisher):
    om.set_transport_defaults(exchange)  # a transport's, which is read when it is made
    transport = om.get_notification_transport(conf, url=url)
    compute = om.Notifier(transport, publisher, driver="messagingv2", topics=[topic])
    instance, context = {"instance_id": 12}, {"project_id": "field-1"}
    compute.prepare(publisher_id="network.host1").warn({}, "port.slow", instance)
    compute.warn({}, "instance.slow", instance)
    compute.error(context, "instance.create.end", instance)
    compute.error(context, "instance.create.start", instance)
    print("4 notifications")
    transport.cleanup()


def main():
    conf = cfg.ConfigOpts()
    conf([])
    {"server": serve, "listen": listen, "notify": notify}[sys.argv[1]](conf, *sys.argv[2:])


if __name__ == "__main__":
    main()
