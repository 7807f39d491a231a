"""Publishes to QUEUE with py-amqp (kombu's and celery's client), and says when it is confirmed."""
import datetime
import decimal
import os
import sys
import urllib.parse

import amqp

queue = sys.argv[1]
url = urllib.parse.urlparse(os.environ["LEVERET_TEST_AMQP_URI"])
connection = amqp.Connection(f"{url.hostname}:{url.port}", url.username, url.password,
                             virtual_host=urllib.parse.unquote(url.path[1:]), confirm_publish=True)
connection.connect()
channel = connection.channel()
headers = {
    "third": 1 / 3, "huge": 1e308, "large": 2 ** 40, "lowest": -2 ** 63, "small": -5, "none": None,
    "text": "野兎", "true": True, "when": datetime.datetime(2023, 11, 14, 22, 13, 20),
    "pi": decimal.Decimal("3.14"), "list": [1.5, [2 ** 40]], "table": {"x": {"y": -0.25}},
}
channel.basic_publish_confirm(amqp.Message(b"from py-amqp", application_headers=headers, priority=3),
                              routing_key=queue)
print("published", flush=True)
connection.close()
