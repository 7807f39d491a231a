"""Third tutorial: tells everybody who listens at the moment."""
import os
import sys

import pika

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"]))
channel = connection.channel()
channel.exchange_declare("logs", "fanout")
channel.basic_publish("logs", "", " ".join(sys.argv[1:]))
print("sent", flush=True)
connection.close()
