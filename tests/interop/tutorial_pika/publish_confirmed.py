"""Seventh tutorial, publisher confirms: says of each argument, a queue, whether a message got there."""
import os
import sys

import pika

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"]))
channel = connection.channel()
channel.confirm_delivery()
for queue in sys.argv[1:]:
    try:
        channel.basic_publish("", queue, "to be sure", pika.BasicProperties(delivery_mode=2), mandatory=True)
        print(queue, "confirmed", flush=True)
    except pika.exceptions.UnroutableError:
        print(queue, "unroutable", flush=True)
    except pika.exceptions.NackError:
        print(queue, "refused", flush=True)
connection.close()
