"""Publishes to QUEUE: the sample message, an empty one, a large one, and one with empty headers."""
import sys

import peer
import pika
import sample

queue = sys.argv[1]
connection = peer.connect()
channel = connection.channel()
channel.confirm_delivery()


def publish(body, properties=None):
    channel.basic_publish("", queue, body, properties, mandatory=True)


publish(sample.BODY, sample.properties(sample.of_pika()))
publish(b"")
publish(bytes(range(256)) * 4096 * 5)
publish(b"no headers", pika.BasicProperties(headers={}, priority=0, content_type=""))
connection.close()
