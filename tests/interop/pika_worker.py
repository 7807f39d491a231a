"""Works off QUEUE one task at a time. Says each task, and acknowledges it when it is told "ack"; told
"stop" it cancels its consumer, told "vanish" it ends without a word to the broker."""
import os
import sys

import peer

queue = sys.argv[1]
connection = peer.connect()
channel = connection.channel()
channel.basic_qos(prefetch_count=1)


def on_task(_channel, method, _properties, body):
    peer.say("task", body.decode(), method.redelivered)
    order = peer.hear()
    if order == "vanish":
        os._exit(3)
    channel.basic_ack(method.delivery_tag)
    if order == "stop":
        channel.stop_consuming()  # cancels, and gives back what comes nevertheless


channel.add_on_cancel_callback(lambda frame: peer.say("cancelled", frame.method.consumer_tag))
channel.basic_consume(queue, on_task, consumer_tag="pika's")
peer.say("ready")
channel.start_consuming()
connection.close()
