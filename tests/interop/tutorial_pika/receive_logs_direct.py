"""Fourth tutorial: prints the logs of the named severities."""
import os
import sys

import pika

channel = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"])).channel()
channel.exchange_declare("direct_logs", "direct")
own = channel.queue_declare("", exclusive=True).method.queue
for severity in sys.argv[1:]:
    channel.queue_bind(own, "direct_logs", severity)
channel.basic_consume(own, lambda _c, m, _p, body: print(m.routing_key, body.decode(), flush=True), auto_ack=True)
print("waiting", flush=True)
channel.start_consuming()
