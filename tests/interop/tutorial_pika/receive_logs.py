"""Third tutorial: prints all logs, from a queue of its own whose name the broker chooses."""
import os

import pika

channel = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"])).channel()
channel.exchange_declare("logs", "fanout")
own = channel.queue_declare("", exclusive=True).method.queue
channel.queue_bind(own, "logs")
channel.basic_consume(own, lambda _c, _m, _p, body: print("log", body.decode(), flush=True), auto_ack=True)
print("waiting", flush=True)
channel.start_consuming()
