"""What the tests with other people's clients share: the two brokers, and counting.

Every case runs on RabbitMQ, which shows that the case is right, and on leveret-broker, which is what is
tested. A case is a function that takes a Broker and fails by an exception; it has LIMIT seconds."""

import asyncio
import contextlib
import inspect
import itertools
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

TESTS = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("LEVERET_TEST_BUILD", TESTS.parent / "build"))
LIMIT = 90 * (3 if "-address" in BUILD.name or "-thread" in BUILD.name else 1)

cases = []
passed = failed = 0
_numbers = itertools.count(1)


class Broker:
    def __init__(self, name, uri):
        at = urllib.parse.urlsplit(uri)
        self.name, self.uri = name, uri
        self.host, self.port = at.hostname, at.port
        self.user, self.password = at.username or "guest", at.password or "guest"
        self.is_leveret = name != "RabbitMQ"

    def uri_with(self, user=None, password=None, vhost="%2F"):
        return f"amqp://{user or self.user}:{password or self.password}@{self.host}:{self.port}/{vhost}"


def until(condition, what, limit=10.0):
    """Waits until condition() is true; its value."""
    deadline = time.monotonic() + limit
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit} s for {what}")
        time.sleep(0.005)
    return value


@contextlib.contextmanager
def leveret_broker(*options):
    """leveret-broker in a process of its own on a port of its own."""
    program = BUILD / "examples" / "leveret-broker"
    with tempfile.TemporaryDirectory(prefix="leveret-") as directory:
        port_file = pathlib.Path(directory) / "port"
        with open(pathlib.Path(directory) / "log", "w+b") as log:
            process = subprocess.Popen(
                [program, "--listen", "127.0.0.1:0", "--port-file", port_file, "--shutdown-timeout", "1", *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                # The whole line: the file may be there before what is written to it.
                until(lambda: process.poll() is not None
                      or (port_file.exists() and port_file.read_text().endswith("\n")), "leveret-broker")
                if process.poll() is not None:
                    log.seek(0)
                    raise RuntimeError("leveret-broker did not start: " + log.read().decode())
                broker = Broker("leveret-broker", f"amqp://guest:guest@127.0.0.1:{port_file.read_text().strip()}/%2F")
                broker.process = process
                yield broker
                if process.poll() is not None:
                    log.seek(0)
                    raise RuntimeError(f"leveret-broker ended with {process.returncode}: " + log.read().decode()[-3000:])
            finally:
                if process.poll() is None:
                    process.terminate()
                    try:
                        status = process.wait(20)
                        count("leveret-broker ends in order", status == 0, f"exit status {status}")
                    except subprocess.TimeoutExpired:
                        process.kill()
                        process.wait()
                        count("leveret-broker ends in order", False, "it did not end in 20 s")


def rabbitmq():
    """The private RabbitMQ of tests/run, or None."""
    uri = os.environ.get("LEVERET_TEST_AMQP_URI")
    return Broker("RabbitMQ", uri) if uri else None


def rabbitmqctl(*words):
    """Once more where it hangs, as it does now and then on a busy machine."""
    for attempt in range(3):
        try:
            subprocess.run([TESTS / "support" / "rabbitmq", "ctl", os.environ["LEVERET_TEST_RABBITMQ"], *words],
                           check=True, capture_output=True, timeout=25)
            return
        except subprocess.TimeoutExpired:
            if attempt == 2:
                raise


def name(what="q"):
    """A name that no other case has, nor another run."""
    return f"clients.{what}.{os.getpid()}.{next(_numbers)}"


def case(function):
    cases.append(function)
    return function


def case_of_leveret(function):
    """One that can't run on RabbitMQ."""
    function.of_leveret = True
    return case(function)


def equal(found, expected, what="it"):
    if found != expected:
        raise AssertionError(f"{what} is {found!r} and not {expected!r}")


def has(text, part):
    if part not in str(text):
        raise AssertionError(f"{part!r} is not in {str(text)!r}")


@contextlib.contextmanager
def fails(kind, **attributes):
    """The block must raise `kind`. Attributes of the exception are compared; `text` must be a part of it."""
    caught = []
    try:
        yield caught
    except kind as e:
        caught.append(e)
        for key, expected in attributes.items():
            if key == "text":
                has(e, expected)
            else:
                equal(getattr(e, key), expected, key)
    else:
        raise AssertionError(f"no {getattr(kind, '__name__', kind)}")


def count(what, holds, told=""):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {what}: {told}", flush=True)


def _out_of_time(_number, _frame):
    raise TimeoutError(f"a case took more than {LIMIT} s")


def run_case(function, broker):
    signal.signal(signal.SIGALRM, _out_of_time)
    signal.alarm(LIMIT)
    try:
        if inspect.iscoroutinefunction(function):
            asyncio.run(function(broker))
        else:
            function(broker)
    except Exception:
        signal.alarm(0)
        count(f"{function.__name__} on {broker.name}", False, traceback.format_exc(limit=-6))
    else:
        count(f"{function.__name__} on {broker.name}", True)
    finally:
        signal.alarm(0)


def run_on(broker):
    """All cases; those that are named on the command line, when there are any."""
    before = passed, failed
    for function in cases:
        if not broker.is_leveret and getattr(function, "of_leveret", False):
            continue
        if not sys.argv[1:] or function.__name__ in sys.argv[1:]:
            started = time.monotonic()
            run_case(function, broker)
            if os.environ.get("LEVERET_TEST_TIMES"):
                print(f"{time.monotonic() - started:6.2f} s  {function.__name__} on {broker.name}")
    print(f"on {broker.name}: {passed - before[0]} passed, {failed - before[1]} failed", flush=True)


def finish():
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


def main(run=run_on):
    """Runs the cases on both brokers and ends the program."""
    if (real := rabbitmq()) is not None:
        run(real)
    else:
        count("RabbitMQ", False, "LEVERET_TEST_AMQP_URI is not set")
    try:
        with leveret_broker() as ours:
            run(ours)
    except Exception:
        count("leveret-broker", False, traceback.format_exc(limit=-3))
    finish()


def run_program(command, directory=None, limit=90):
    """For main(): cases in another language. The program gets the broker's URI as its last argument and in
    AMQP_URI, and prints `ok NAME` or `not ok NAME: WHY` for each, and `1..N` when it is through."""
    def run(broker):
        before = passed, failed
        environment = {**os.environ, "AMQP_URI": broker.uri, "BROKER": broker.name}
        try:
            done = subprocess.run([*command, broker.uri], cwd=directory, env=environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=limit)
            output, why = done.stdout, f"exit status {done.returncode}"
            errors = done.stderr
        except subprocess.TimeoutExpired as e:
            output, errors = ((x or b"").decode() if not isinstance(x, str) else x for x in (e.stdout, e.stderr))
            why = f"it did not end in {limit} s"
        plan = None
        for line in output.splitlines():
            if line.startswith("ok "):
                count(f"{line[3:]} on {broker.name}", True)
            elif line.startswith("not ok "):
                title, _, told = line[7:].partition(": ")
                count(f"{title} on {broker.name}", False, told)
            elif line.startswith("1.."):
                plan = int(line[3:])
            else:
                print(line)
        ran = passed + failed - before[0] - before[1]
        if plan is None or plan != ran:
            count(f"the program on {broker.name}", False, f"{ran} cases of {plan}; {why}; {errors[-3000:]}")
        print(f"on {broker.name}: {passed - before[0]} passed, {failed - before[1]} failed", flush=True)
    return run
