#!/usr/bin/python3 -B
"""What tests/bench/rpc measures beside rpc-perf: oslo.messaging itself.

    oslo_rpc.py serve URL           a server of the topic `calc`; prints READY
    oslo_rpc.py call URL COUNT      its client, 16 threads: prints BEGIN, and then `call NS`, processor time of a call
"""

import queue
import sys
import threading
import time

import oslo_messaging as om
from oslo_config import cfg


class Calc:
    def same(self, ctxt, n):
        return n


def serve(transport):
    server = om.get_rpc_server(transport, om.Target(exchange="bench", topic="calc", server="one"), [Calc()],
                               executor="threading")
    server.start()
    print("READY", flush=True)
    server.wait()


def call(transport, count):
    client = om.RPCClient(transport, om.Target(exchange="bench", topic="calc"))
    work = queue.SimpleQueue()

    answered = []  # of each worker, when it has ended

    def worker():
        right = 0
        while (n := work.get()) is not None:
            right += client.call({}, "same", n=n) == n
        answered.append(right)

    def run(number, workers=16):
        for n in range(number):
            work.put(n)
        threads = [threading.Thread(target=worker) for _ in range(workers)]
        for t in threads:
            work.put(None)
            t.start()
        for t in threads:
            t.join()
        if sum(answered) != number:
            sys.exit(f"{sum(answered)} of {number} calls were answered rightly")
        answered.clear()

    run(100)
    print("BEGIN", flush=True)
    begin = time.process_time()
    run(count)
    print(f"call {(time.process_time() - begin) * 1e9 / count:.0f}", flush=True)


def main():
    mode, url, *rest = sys.argv[1:]
    cfg.CONF([])  # its metrics have their options in this one alone
    transport = om.get_rpc_transport(cfg.CONF, url=url)
    if mode == "serve":
        serve(transport)
    else:
        call(transport, int(rest[0]))


main()
