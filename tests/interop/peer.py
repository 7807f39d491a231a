"""What the programs with pika share: the connection, and lines to and from the test that runs them."""
import os
import sys

import pika


def connect():
    return pika.BlockingConnection(pika.URLParameters(os.environ["LEVERET_TEST_AMQP_URI"]))


def say(*words):
    print(*words, flush=True)


def hear():
    return sys.stdin.readline().rstrip("\n")
