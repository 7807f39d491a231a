"""Fifth tutorial: prints the logs whose topics match one of the patterns."""
import os
import sys

import pika

channel = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"])).channel()
channel.exchange_declare("topic_logs", "topic")
own = channel.queue_declare("", exclusive=True).method.queue
for pattern in sys.argv[1:]:
    channel.queue_bind(own, "topic_logs", pattern)
channel.basic_consume(own, lambda _c, m, _p, body: print(m.routing_key, body.decode(), flush=True), auto_ack=True)
print("waiting", flush=True)
channel.start_consuming()
