<?php
// php-amqplib: cases for clients/harness.py.
require 'PhpAmqpLib/autoload.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Exception\AMQPConnectionClosedException;
use PhpAmqpLib\Exception\AMQPProtocolChannelException;
use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

$at = parse_url($argv[$argc - 1]);
$count = 0;
$names = 0;

function name(string $what = 'q'): string
{
    global $names;
    return "clients.php.$what." . getmypid() . '.' . ++$names;
}

function equal($found, $expected): void
{
    if ($found !== $expected) {
        throw new Exception(json_encode($found) . ' and not ' . json_encode($expected));
    }
}

function connect(string $password = 'guest', string $method = 'AMQPLAIN', int $heartbeat = 0): AMQPStreamConnection
{
    global $at;
    return new AMQPStreamConnection($at['host'], $at['port'], 'guest', $password, '/', false, $method, null, 'en_US', 5.0, 10.0, null, false, $heartbeat);
}

function example(string $title, callable $body): void
{
    global $count;
    ++$count;
    try {
        $body();
        echo "ok $title\n";
    } catch (Throwable $e) {
        echo "not ok $title: ", str_replace("\n", ' | ', (string) $e), "\n";
    }
}

function with_channel(string $title, callable $body): void
{
    example($title, function () use ($body) {
        $c = connect();
        try {
            $body($c->channel(), $c);
        } finally {
            $c->close();
        }
    });
}

function raises(int $code, string $part, callable $body): void
{
    try {
        $body();
    } catch (AMQPProtocolChannelException $e) {
        equal($e->getCode(), $code);
        if (strpos($e->getMessage(), $part) === false) {
            throw new Exception("'$part' is not in " . $e->getMessage());
        }
        return;
    }
    throw new Exception("no $code");
}

function take($ch, string $q): AMQPMessage
{
    for ($end = microtime(true) + 10; microtime(true) < $end; usleep(5000)) {
        if ($m = $ch->basic_get($q, true)) {
            return $m;
        }
    }
    throw new Exception("nothing in $q");
}

function exclusive($ch, array $arguments = []): string
{
    return $ch->queue_declare('', false, false, true, false, false, new AMQPTable($arguments))[0];
}

example('PLAIN and AMQPLAIN', function () {
    foreach (['PLAIN', 'AMQPLAIN'] as $method) {
        $c = connect('guest', $method);
        exclusive($c->channel());
        $c->close();
    }
});

example('wrong password', function () {
    try {
        connect('wrong');
    } catch (AMQPConnectionClosedException $e) {
        if (strpos($e->getMessage(), 'ACCESS_REFUSED') === false) {
            throw $e;
        }
        return;
    }
    throw new Exception('it was let in');
});

with_channel('queues and messages', function ($ch) {
    $q = exclusive($ch);
    $ch->basic_publish(new AMQPMessage('Hase', [
        'content_type' => 'a/b', 'delivery_mode' => 2, 'priority' => 3, 'correlation_id' => 'c', 'expiration' => '60000',
        'timestamp' => 1700000000, 'user_id' => 'guest',
        'application_headers' => new AMQPTable(['int' => -5, 'long' => 1 << 40, 'text' => 'x', 'yes' => true, 'none' => null,
            'list' => [1, 'two'], 'table' => ['deep' => ['n' => 1]], 'when' => new DateTime('@1700000000')]),
    ]), '', $q);
    $m = take($ch, $q);
    equal($m->body, 'Hase');
    equal([$m->get('delivery_mode'), $m->get('priority'), $m->get('timestamp')], [2, 3, 1700000000]);
    $headers = $m->get('application_headers')->getNativeData();
    equal([$headers['int'], $headers['long'], $headers['text'], $headers['yes'], $headers['none'], $headers['list'], $headers['table']],
        [-5, 1 << 40, 'x', true, null, [1, 'two'], ['deep' => ['n' => 1]]]);
    equal($headers['when']->getTimestamp(), 1700000000);
    equal($ch->queue_purge($q), 0);
});

with_channel('a body of many frames, and none', function ($ch) {
    $q = exclusive($ch);
    foreach ([str_repeat('x', 3 << 20), ''] as $body) {
        $ch->basic_publish(new AMQPMessage($body), '', $q);
        equal(take($ch, $q)->body === $body, true);
    }
});

with_channel('consumers, acknowledgements and prefetch', function ($ch) {
    $q = exclusive($ch);
    $ch->basic_qos(0, 2, false);
    for ($i = 0; $i < 4; ++$i) {
        $ch->basic_publish(new AMQPMessage("$i"), '', $q);
    }
    $found = [];
    $tag = $ch->basic_consume($q, '', false, false, false, false, function ($m) use (&$found) {
        $found[] = $m->body;
        $m->isRedelivered() ? $m->ack() : $m->nack(true);
    });
    while (count($found) < 8) {
        $ch->wait(null, false, 10);
    }
    sort($found);
    equal($found, ['0', '0', '1', '1', '2', '2', '3', '3']);
    $ch->basic_cancel($tag);
});

with_channel('confirms', function ($ch) {
    $ch->confirm_select();
    $acks = $nacks = 0;
    $ch->set_ack_handler(function () use (&$acks) { ++$acks; });
    $ch->set_nack_handler(function () use (&$nacks) { ++$nacks; });
    $q = exclusive($ch, ['x-max-length' => 3, 'x-overflow' => 'reject-publish']);
    for ($i = 0; $i < 5; ++$i) {
        $ch->basic_publish(new AMQPMessage('x'), '', $q);
    }
    $ch->wait_for_pending_acks(10);
    equal([$acks, $nacks], [3, 2]);
});

with_channel('returns', function ($ch) {
    $back = null;
    $ch->set_return_listener(function ($code, $text, $exchange, $key) use (&$back) { $back = [$code, $text, $key]; });
    $ch->basic_publish(new AMQPMessage('x'), '', 'nowhere', true);
    while (!$back) {
        $ch->wait(null, false, 10);
    }
    equal($back, [312, 'NO_ROUTE', 'nowhere']);
});

with_channel('a batch of publishes', function ($ch) {
    $q = exclusive($ch);
    for ($i = 0; $i < 100; ++$i) {
        $ch->batch_basic_publish(new AMQPMessage("$i"), '', $q);
    }
    $ch->publish_batch();
    for ($i = 0; $i < 100; ++$i) {
        equal(take($ch, $q)->body, "$i");
    }
});

with_channel('exchanges', function ($ch) {
    [$a, $b, $q] = [name('x'), name('x'), exclusive($ch)];
    $ch->exchange_declare($a, 'topic', false, false, false);
    $ch->exchange_declare($b, 'fanout', false, false, false, true);
    $ch->exchange_bind($b, $a, 'k.*');
    $ch->queue_bind($q, $b);
    $ch->basic_publish(new AMQPMessage('through'), $a, 'k.x');
    equal(take($ch, $q)->body, 'through');
    $ch->exchange_unbind($b, $a, 'k.*');
    $ch->queue_unbind($q, $b);
    $ch->exchange_delete($a);
    $ch->exchange_delete($b);
});

with_channel('transactions', function ($ch) {
    $q = exclusive($ch);
    $ch->tx_select();
    $ch->basic_publish(new AMQPMessage('1'), '', $q);
    $ch->tx_rollback();
    $ch->basic_publish(new AMQPMessage('2'), '', $q);
    $ch->tx_commit();
    equal(take($ch, $q)->body, '2');
});

with_channel('errors', function ($_, $c) {
    raises(404, 'NOT_FOUND - no queue', fn () => $c->channel()->queue_declare(name(), true));
    raises(403, 'reserved prefix', fn () => $c->channel()->queue_declare('amq.mine'));
    raises(406, "inequivalent arg 'type'", fn () => $c->channel()->exchange_declare('amq.direct', 'fanout', false, true, false));
    raises(406, 'unknown delivery tag 7', function () use ($c) {
        $ch = $c->channel();
        $ch->basic_ack(7);
        exclusive($ch);
    });
});

example('heartbeats are agreed on', function () {
    $c = connect('guest', 'PLAIN', 1);
    equal($c->getHeartbeat(), 1);
    $c->checkHeartBeat();
    $c->close();
});

echo "1..$count\n";
