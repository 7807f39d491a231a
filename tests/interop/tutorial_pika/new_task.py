"""Second tutorial: puts a durable task for each argument into a durable queue."""
import os
import sys

import pika

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"]))
channel = connection.channel()
channel.queue_declare("task_queue", durable=True)
persistent = pika.BasicProperties(delivery_mode=pika.spec.PERSISTENT_DELIVERY_MODE)
for task in sys.argv[1:]:
    channel.basic_publish("", "task_queue", task, persistent)
    print("sent", task, flush=True)
connection.close()
