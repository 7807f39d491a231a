"""Gets one message from QUEUE with py-amqp and prints its header table, a field a line, sorted."""
import os
import sys
import urllib.parse

import amqp

queue = sys.argv[1]
url = urllib.parse.urlparse(os.environ["LEVERET_TEST_AMQP_URI"])
connection = amqp.Connection(f"{url.hostname}:{url.port}", url.username, url.password,
                             virtual_host=urllib.parse.unquote(url.path[1:]))
connection.connect()
channel = connection.channel()
message = channel.basic_get(queue)
for name, value in sorted(message.headers.items()):
    print(f"{name}: {value!r}")
print("body:", message.body)
channel.basic_ack(message.delivery_tag)
connection.close()
