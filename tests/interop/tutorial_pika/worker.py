"""Second tutorial: takes one task at a time, and acknowledges it when it is done. A task's work is to wait for
a line of input, so that whoever runs this decides how long a task takes."""
import os
import sys

import pika

channel = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"])).channel()
channel.queue_declare("task_queue", durable=True)
channel.basic_qos(prefetch_count=1)


def work(_channel, method, _properties, body):
    print("again" if method.redelivered else "begun", body.decode(), flush=True)
    sys.stdin.readline()
    print("done", body.decode(), flush=True)
    channel.basic_ack(method.delivery_tag)


channel.basic_consume("task_queue", work)
print("waiting", flush=True)
channel.start_consuming()
