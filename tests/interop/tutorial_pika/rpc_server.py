"""Sixth tutorial: answers with Fibonacci numbers, where the question says, under the question's number."""
import os

import pika

channel = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"])).channel()
channel.queue_declare("rpc_queue")


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def answer(_channel, method, properties, body):
    channel.basic_publish("", properties.reply_to, str(fibonacci(int(body))),
                          pika.BasicProperties(correlation_id=properties.correlation_id))
    channel.basic_ack(method.delivery_tag)
    print("answered", body.decode(), flush=True)


channel.basic_qos(prefetch_count=1)
channel.basic_consume("rpc_queue", answer)
print("waiting", flush=True)
channel.start_consuming()
