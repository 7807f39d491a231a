"""First tutorial: puts one greeting into the queue hello."""
import os

import pika

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"]))
channel = connection.channel()
channel.queue_declare("hello")
channel.basic_publish("", "hello", "Good day, hare!")
print("sent", flush=True)
connection.close()
