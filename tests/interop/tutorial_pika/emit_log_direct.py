"""Fourth tutorial: a log with a severity. SEVERITY TEXT.."""
import os
import sys

import pika

severity, *words = sys.argv[1:]
connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"]))
channel = connection.channel()
channel.exchange_declare("direct_logs", "direct")
channel.basic_publish("direct_logs", severity, " ".join(words))
print("sent", flush=True)
connection.close()
