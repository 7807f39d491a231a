'use strict';
// rabbitmq-client (cody-greene), which reconnects by itself.
const assert = require('assert');
const net = require('net');
const { Connection } = require('rabbitmq-client');
const { add, name, until, within, run } = require('./cases');

function withConnection(title, body) {
  add(title, async (uri) => {
    const connection = new Connection({ url: uri, retryLow: 50 });
    connection.on('error', () => {});
    try {
      await connection.onConnect(10000);
      await body(connection, uri);
    } finally {
      await connection.close();
    }
  });
}

withConnection('queues, publishing and getting', async (c) => {
  const q = name();
  const { queue, messageCount } = await c.queueDeclare({ queue: q, exclusive: true });
  assert.deepStrictEqual([queue, messageCount], [q, 0]);
  const publisher = c.createPublisher({ confirm: true });
  await publisher.send(q, { text: 'Hase', list: [1, 2] });
  const m = await until(() => c.basicGet({ queue: q, noAck: true }), 'the message');
  assert.deepStrictEqual(m.body, { text: 'Hase', list: [1, 2] });
  assert.strictEqual(await c.basicGet(q), undefined);
  await publisher.close();
});

withConnection('a publisher that is refused', async (c) => {
  const q = name();
  await c.queueDeclare({ queue: q, exclusive: true, arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } });
  const publisher = c.createPublisher({ confirm: true });
  await publisher.send(q, 'x');
  await assert.rejects(publisher.send(q, 'y'), (e) => e.code === 'NACK' || assert.fail(e.code));
  const returned = new Promise((resolve) => publisher.on('basic.return', resolve));
  await publisher.send({ routingKey: 'nowhere', mandatory: true }, 'z');
  assert.strictEqual((await within(returned, 'the return')).replyText, 'NO_ROUTE');
  await publisher.close();
});

withConnection('a consumer that requeues and drops', async (c) => {
  const [q, dead, x] = [name(), name(), name('x')];
  await c.queueDeclare({ queue: dead, exclusive: true });
  const seen = [];
  const consumer = c.createConsumer({
    queue: q,
    queueOptions: { autoDelete: true, arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead } },
    exchanges: [{ exchange: x, type: 'topic', autoDelete: true }],
    queueBindings: [{ exchange: x, routingKey: 'a.*' }],
    qos: { prefetchCount: 2 },
  }, async (m) => {
    seen.push([m.body, m.redelivered]);
    if (!m.redelivered) throw new Error('once more');
    return m.body === 'drop' ? 2 : 0;
  });
  consumer.on('error', () => {});
  await within(new Promise((resolve) => consumer.on('ready', resolve)), 'the consumer');
  const publisher = c.createPublisher({ confirm: true });
  await publisher.send({ exchange: x, routingKey: 'a.1' }, 'keep');
  await publisher.send({ exchange: x, routingKey: 'a.2' }, 'drop');
  const m = await until(() => c.basicGet({ queue: dead, noAck: true }), 'the dead letter');
  assert.strictEqual(m.body, 'drop');
  await until(() => seen.length === 4, 'all');
  await consumer.close();
  await publisher.close();
});

withConnection('RPC by direct reply-to', async (c) => {
  const q = name();
  const server = c.createConsumer({ queue: q, queueOptions: { exclusive: true } }, async (m, reply) => {
    await reply(m.body * m.body);
  });
  await within(new Promise((resolve) => server.on('ready', resolve)), 'the server');
  const client = c.createRPCClient({ confirm: true });
  const answers = await Promise.all([2, 3, 4].map((n) => client.send(q, n)));
  assert.deepStrictEqual(answers.map((m) => m.body), [4, 9, 16]);
  await client.close();
  await server.close();
});

withConnection('transactions and errors', async (c) => {
  const q = name();
  await c.queueDeclare({ queue: q, exclusive: true });
  const ch = await c.acquire();
  await ch.txSelect();
  await ch.basicPublish(q, 'x');
  await ch.txRollback();
  await ch.basicPublish(q, 'y');
  await ch.txCommit();
  await ch.close();
  assert.strictEqual((await c.basicGet({ queue: q, noAck: true })).body, 'y');
  await assert.rejects(c.queueDeclare({ passive: true, queue: name() }), (e) => e.code === 'NOT_FOUND' || assert.fail(e.code));
  await assert.rejects(c.queueDeclare({ queue: q, exclusive: true, autoDelete: true }),
    (e) => (e.code === 'PRECONDITION_FAILED' && /inequivalent arg 'auto_delete'/.test(e.message)) || assert.fail(e.message));
});

add('wrong password', async (uri) => {
  const c = new Connection({ url: uri.replace('guest:guest', 'guest:wrong'), retryLow: 20000 });
  const e = await within(new Promise((resolve) => c.on('error', resolve)), 'the refusal');
  assert.strictEqual(e.code, 'ACCESS_REFUSED');
  c.unsafeDestroy();
});

add('a cut connection comes back with its consumer', async (uri) => {
  const sockets = new Set();
  const to = new URL(uri);
  const proxy = net.createServer((near) => {
    const far = net.connect(Number(to.port), to.hostname);
    near.pipe(far).pipe(near);
    for (const s of [near, far]) {
      sockets.add(s);
      s.on('error', () => {});
    }
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const c = new Connection({ url: `amqp://guest:guest@127.0.0.1:${proxy.address().port}/%2F`, retryLow: 20 });
  c.on('error', () => {});
  const [q, seen] = [name(), []];
  const consumer = c.createConsumer({ queue: q, queueOptions: { exclusive: true } }, async (m) => { seen.push(m.body); });
  consumer.on('error', () => {});
  const ready = () => within(new Promise((resolve) => consumer.once('ready', resolve)), 'the consumer');
  await ready();
  const publisher = c.createPublisher({ confirm: true, maxAttempts: 3 });
  await publisher.send(q, 'before');
  await until(() => seen.length === 1, 'the first');
  const again = ready();
  for (const s of sockets) s.destroy();
  await again;
  await publisher.send(q, 'after');
  await until(() => seen.length === 2, 'the second');
  assert.deepStrictEqual(seen, ['before', 'after']);
  await publisher.close();
  await consumer.close();
  await c.close();
  proxy.close();
});

run();
