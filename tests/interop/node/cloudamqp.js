'use strict';
// @cloudamqp/amqp-client.
const assert = require('assert');
const { AMQPClient } = require('@cloudamqp/amqp-client');
const { add, name, until, within, run } = require('./cases');

function withChannel(title, body) {
  add(title, async (uri) => {
    const connection = await new AMQPClient(uri).connect();
    connection.onerror = () => {};
    try {
      await body(await connection.channel(), connection, uri);
    } finally {
      if (!connection.closed) await connection.close().catch(() => {});
    }
  });
}

withChannel('queues and messages', async (ch) => {
  const q = await ch.queue('', { exclusive: true });
  await ch.confirmSelect();
  const properties = { contentType: 'a/b', headers: { n: 1, s: 'x', list: [1, 'two'], t: { yes: true } }, deliveryMode: 2, priority: 3,
    correlationId: 'c', replyTo: 'r', expiration: '60000', messageId: 'm', timestamp: new Date(1700000000000), type: 't',
    userId: 'guest', appId: 'a' };
  await q.publish('Hase', properties);
  const m = await until(() => q.get({ noAck: true }), 'the message');
  assert.strictEqual(m.bodyString(), 'Hase');
  for (const [key, value] of Object.entries(properties)) assert.deepStrictEqual(m.properties[key], value, key);
  await q.publish('');
  assert.strictEqual((await q.purge()).messageCount, 1);
});

withChannel('consumers', async (ch) => {
  const q = await ch.queue('', { exclusive: true });
  await ch.prefetch(2);
  const seen = [];
  const consumer = await q.subscribe({ noAck: false }, async (m) => {
    seen.push(m.bodyString());
    await m.ack();
  });
  for (let i = 0; i < 10; ++i) await q.publish(String(i));
  await until(() => seen.length === 10, 'all');
  assert.deepStrictEqual(seen, [...'0123456789']);
  await consumer.cancel();
  await ch.basicRecover(true);
});

withChannel('a body of many frames', async (ch) => {
  const q = await ch.queue('', { exclusive: true });
  const body = Buffer.alloc(2 << 20, 'hare');
  await q.publish(body);
  const m = await until(() => q.get({ noAck: true }), 'the message');
  assert(Buffer.from(m.body).equals(body));
});

withChannel('exchanges', async (ch) => {
  const [a, b] = [name('x'), name('x')];
  await ch.exchangeDeclare(a, 'topic', { durable: false, autoDelete: false });
  await ch.exchangeDeclare(b, 'fanout', { durable: false, internal: true, autoDelete: false });
  await ch.exchangeBind(b, a, 'k.#');
  const q = await ch.queue('', { exclusive: true });
  await q.bind(b, '');
  await ch.basicPublish(a, 'k.x', 'through');
  assert.strictEqual((await until(() => q.get({ noAck: true }), 'it')).bodyString(), 'through');
  await q.unbind(b, '');
  await ch.exchangeUnbind(b, a, 'k.#');
  await ch.exchangeDelete(a);
  await ch.exchangeDelete(b);
});

withChannel('transactions', async (ch) => {
  const q = await ch.queue('', { exclusive: true });
  await ch.txSelect();
  await q.publish('1');
  await ch.txRollback();
  await q.publish('2');
  await ch.txCommit();
  assert.strictEqual((await q.get({ noAck: true })).bodyString(), '2');
});

withChannel('returns', async (ch) => {
  const back = new Promise((resolve) => { ch.onReturn = resolve; });
  await ch.basicPublish('', 'nowhere', 'x', {}, true);
  assert.strictEqual((await within(back, 'the return')).replyCode, 312);
});

withChannel('errors', async (ch, c) => {
  await assert.rejects(ch.queueDeclare(name(), { passive: true }), /NOT_FOUND - no queue/);
  assert(ch.closed);
  const again = await c.channel();
  await again.queueDeclare('', { exclusive: true });
  await assert.rejects(again.exchangeDeclare('amq.direct', 'fanout'), /inequivalent arg 'type'/);
});

withChannel('update-secret', async (ch, c) => {
  await c.updateSecret('guest', 'a test');
  await ch.queueDeclare('', { exclusive: true });
});

add('wrong password', (uri) => assert.rejects(new AMQPClient(uri.replace('guest:guest', 'guest:wrong')).connect(), /ACCESS_REFUSED/));

run();
