"""Sixth tutorial: asks for the Fibonacci number of each argument, one after the other."""
import os
import sys
import uuid

import pika


class Calculator:
    def __init__(self):
        self.connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URI"]))
        self.channel = self.connection.channel()
        self.answers = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.basic_consume(self.answers, self.on_answer, auto_ack=True)
        self.awaited = self.answer = None

    def on_answer(self, _channel, _method, properties, body):
        if properties.correlation_id == self.awaited:
            self.answer = int(body)

    def fibonacci(self, n):
        self.answer, self.awaited = None, str(uuid.uuid4())
        self.channel.basic_publish("", "rpc_queue", str(n), pika.BasicProperties(
            reply_to=self.answers, correlation_id=self.awaited))
        while self.answer is None:
            self.connection.process_data_events(time_limit=None)
        return self.answer


calculator = Calculator()
for n in sys.argv[1:]:
    print(n, calculator.fibonacci(int(n)), flush=True)
calculator.connection.close()
