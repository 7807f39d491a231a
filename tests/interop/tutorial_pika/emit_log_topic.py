"""Fifth tutorial: a log with where it comes from and how bad it is. FACILITY.SEVERITY TEXT.."""
import os
import sys

import pika

topic, *words = sys.argv[1:]
connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"]))
channel = connection.channel()
channel.exchange_declare("topic_logs", "topic")
channel.basic_publish("topic_logs", topic, " ".join(words))
print("sent", flush=True)
connection.close()
