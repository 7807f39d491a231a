"""Serves Fibonacci numbers from QUEUE, as RabbitMQ's sixth tutorial does, until it is told to stop. Hangs at a list."""
import sys
import time

import peer
import pika

queue = sys.argv[1]
connection = peer.connect()
channel = connection.channel()
channel.queue_declare(queue, auto_delete=True)


def fib(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def on_request(_channel, method, properties, body):
    if body.startswith(b"["):
        peer.say("hangs")
        time.sleep(3600)
    if body == b"stop":
        answer = "stopped"
        channel.stop_consuming()
    else:
        answer = str(fib(int(body)))
    channel.basic_publish("", properties.reply_to, answer, pika.BasicProperties(
        correlation_id=properties.correlation_id, headers={"asked": body.decode()}))
    channel.basic_ack(method.delivery_tag)


channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue, on_request)
peer.say("ready")
channel.start_consuming()
connection.close()
