"""Consumes COUNT messages from QUEUE and says of each what it is, and what is wrong with a sample."""
import hashlib
import sys

import peer
import sample

queue, count = sys.argv[1], int(sys.argv[2])
connection = peer.connect()
channel = connection.channel()
channel.basic_qos(prefetch_count=10)
seen = 0
for method, properties, body in channel.consume(queue):
    if properties.type == "sample":
        peer.say("sample:", body == sample.BODY, sample.difference(properties, sample.for_pika()))
    else:
        peer.say(len(body), hashlib.sha256(body).hexdigest(), method.redelivered,
                 {name: value for name, value in properties.__dict__.items() if value is not None})
    channel.basic_ack(method.delivery_tag)
    seen += 1
    if seen == count:
        break
channel.cancel()
connection.close()
