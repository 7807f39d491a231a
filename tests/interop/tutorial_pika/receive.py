"""First tutorial: prints what comes into the queue hello."""
import os

import pika


def on_message(_channel, _method, _properties, body):
    print("received", body.decode(), flush=True)


channel = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"])).channel()
channel.queue_declare("hello")
channel.basic_consume("hello", on_message, auto_ack=True)
print("waiting", flush=True)
channel.start_consuming()
