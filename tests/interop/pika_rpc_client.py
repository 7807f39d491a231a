"""Calls the server that consumes from QUEUE, as RabbitMQ's sixth tutorial does, and says the answers."""
import sys
import uuid

import peer
import pika

queue = sys.argv[1]
connection = peer.connect()
channel = connection.channel()
answers = {}
callback_queue = channel.queue_declare("", exclusive=True).method.queue


def on_response(_channel, _method, properties, body):
    answers[properties.correlation_id] = (body, properties.headers)


channel.basic_consume(callback_queue, on_response, auto_ack=True)


def call(body):
    correlation_id = str(uuid.uuid4())
    channel.basic_publish("", queue, body, pika.BasicProperties(
        reply_to=callback_queue, correlation_id=correlation_id))
    return correlation_id


def wait_for(correlation_id):
    while correlation_id not in answers:
        connection.process_data_events(time_limit=None)
    return answers.pop(correlation_id)


for n in range(10):
    peer.say(n, wait_for(call(str(n)))[0].decode())
calls = [(n, call(str(n))) for n in range(20, 10, -1)]  # ten in flight
for n, correlation_id in calls:
    peer.say(n, wait_for(correlation_id)[0].decode())
peer.say("error", wait_for(call("not a number")))
connection.close()
