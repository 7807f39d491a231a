'use strict';
// amqplib: what its own tests (which run beside these) don't do.
const assert = require('assert');
const amqp = require('amqplib');
const { add, name, pause, until, within, run } = require('./cases');

const refused = (promise, pattern) => assert.rejects(promise, (e) => pattern.test(e.message) || assert.fail(e.message));

function withChannel(title, body) {
  add(title, async (uri) => {
    const connection = await amqp.connect(uri, { noDelay: true });
    connection.on('error', () => {});
    try {
      const channel = await connection.createChannel();
      channel.on('error', () => {});
      await body(channel, connection, uri);
    } finally {
      await connection.close().catch(() => {});
    }
  });
}

const exclusive = async (ch, args) => (await ch.assertQueue('', { exclusive: true, arguments: args })).queue;
const take = (ch, q) => until(() => ch.get(q, { noAck: true }), `a message in ${q}`);

add('wrong password', (uri) => refused(amqp.connect(uri.replace('guest:guest', 'guest:wrong')),
  /403 \(ACCESS-REFUSED\) with message "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN/));

add('unknown virtual host', (uri) => refused(amqp.connect(uri.replace(/%2F$/i, 'nowhere')), // it does not expect a close there
  /Expected ConnectionOpenOk; got <ConnectionClose channel:0>/));

add('AMQPLAIN', async (uri) => {
  const c = await amqp.connect(uri, { credentials: amqp.credentials.amqplain('guest', 'guest') });
  await c.close();
});

add('heartbeats keep an idle connection', async (uri) => {
  const c = await amqp.connect(`${uri}?heartbeat=1`);
  let failed;
  c.on('error', (e) => { failed = e; });
  await pause(3500); // nothing but heartbeats
  assert.ifError(failed);
  await exclusive(await c.createChannel());
  await c.close();
});

add('tuning by the URL', async (uri) => {
  const c = await amqp.connect(`${uri}?frameMax=4096&channelMax=3`);
  assert.strictEqual(c.connection.frameMax, 4096);
  const ch = await c.createChannel();
  await c.createChannel();
  await c.createChannel();
  await assert.rejects(c.createChannel(), /No channels left/);
  const q = await exclusive(ch);
  ch.sendToQueue(q, Buffer.alloc(100000, 1));
  assert((await take(ch, q)).content.equals(Buffer.alloc(100000, 1)));
  await c.close();
});

withChannel('update-secret', async (ch, c) => {
  await c.updateSecret(Buffer.from('guest'), 'a test');
  await exclusive(ch);
});

withChannel('fields of every type', async (ch) => {
  const headers = {
    none: null, yes: true, no: false, byte: -3, short: -300, int: -70000, long: 2 ** 40, minus: -(2 ** 40), double: 1.5,
    text: 'Hase, 野兎', bytes: Buffer.from([0, 255]), list: [1, 'two', [null], { x: true }], table: { deep: { deeper: {} } },
    float: { '!': 'float', value: 0.5 }, when: { '!': 'timestamp', value: 1700000000 },
    decimal: { '!': 'decimal', value: { places: 2, digits: 314 } }, small: { '!': 'int8', value: -7 },
    wide: { '!': 'int64', value: 5 },
  };
  const q = await exclusive(ch);
  ch.sendToQueue(q, Buffer.from('x'), { headers });
  const found = (await take(ch, q)).properties.headers;
  const expected = { ...headers, float: 0.5, small: -7, wide: 5 };
  assert.deepStrictEqual(JSON.parse(JSON.stringify(found)), JSON.parse(JSON.stringify(expected)));
});

withChannel('all properties', async (ch) => {
  const q = await exclusive(ch);
  const sent = {
    contentType: 'a/b', contentEncoding: 'c', deliveryMode: 2, priority: 4, correlationId: 'd', replyTo: 'e',
    expiration: '60000', messageId: 'f', timestamp: 1700000000, type: 'g', userId: 'guest', appId: 'h',
  };
  ch.sendToQueue(q, Buffer.alloc(0), sent);
  const m = await take(ch, q);
  for (const [key, value] of Object.entries(sent)) assert.strictEqual(m.properties[key], value, key);
  assert.strictEqual(m.content.length, 0);
});

withChannel('a body of 3 MiB', async (ch) => {
  const q = await exclusive(ch);
  const body = Buffer.alloc(3 << 20, 'hare');
  ch.sendToQueue(q, body);
  assert((await take(ch, q)).content.equals(body));
});

withChannel('errors of channels', async (ch, c) => {
  const q = name();
  await refused(ch.checkQueue(q), new RegExp(`404 \\(NOT-FOUND\\) with message "NOT_FOUND - no queue '${q}' in vhost '/'"`));
  const second = await c.createChannel();
  second.on('error', () => {});
  await second.assertQueue(q, { durable: false, exclusive: true });
  await refused(second.assertQueue(q, { durable: false, exclusive: true, messageTtl: 5 }),
    /406 \(PRECONDITION-FAILED\) with message "PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue/);
  const third = await c.createChannel();
  const closed = new Promise((resolve) => third.on('error', resolve));
  third.ack({ fields: { deliveryTag: 99 } });
  const e = await within(closed, 'the error');
  assert.strictEqual(e.code, 406);
  assert.match(e.message, /unknown delivery tag 99/);
  await exclusive(await c.createChannel());
});

withChannel('a queue of another connection', async (ch, _c, uri) => {
  const q = await exclusive(ch);
  const other = await amqp.connect(uri);
  const mine = await other.createChannel();
  mine.on('error', () => {});
  await refused(mine.checkQueue(q), /405 \(RESOURCE-LOCKED\) with message "RESOURCE_LOCKED - cannot obtain exclusive access/);
  await other.close();
});

withChannel('acknowledge all, reject all, recover', async (ch) => {
  const q = await exclusive(ch);
  for (const x of 'abcdef') ch.sendToQueue(q, Buffer.from(x));
  const found = [];
  const { consumerTag } = await ch.consume(q, (m) => found.push(m));
  await until(() => found.length === 6, 'six');
  ch.ack(found[1], true);
  ch.nack(found[2], false, false);
  await ch.recover();
  await until(() => found.length === 9, 'three again');
  assert.deepStrictEqual(found.slice(6).map((m) => [m.content.toString(), m.fields.redelivered]),
    [['d', true], ['e', true], ['f', true]]);
  ch.ackAll();
  await ch.cancel(consumerTag);
  assert.strictEqual(await ch.get(q), false);
  ch.sendToQueue(q, Buffer.from('g'));
  await until(() => ch.get(q), 'the last');
  ch.nackAll(false);
  assert.strictEqual((await ch.checkQueue(q)).messageCount, 0);
});

withChannel('a cancelled consumer is told by null', async (ch, c) => {
  const q = name();
  await ch.assertQueue(q, { durable: false });
  const told = new Promise((resolve) => ch.consume(q, resolve));
  await (await c.createChannel()).deleteQueue(q);
  assert.strictEqual(await within(told, 'the cancellation'), null);
});

withChannel('returns', async (ch) => {
  const back = new Promise((resolve) => ch.on('return', resolve));
  ch.publish('', 'nowhere', Buffer.from('x'), { mandatory: true, messageId: '7' });
  const m = await within(back, 'the message');
  assert.strictEqual(m.fields.replyCode, 312);
  assert.strictEqual(m.fields.replyText, 'NO_ROUTE');
  assert.strictEqual(m.properties.messageId, '7');
});

withChannel('confirmations and refusals', async (_ch, c) => {
  const ch = await c.createConfirmChannel();
  const q = await exclusive(ch, { 'x-max-length': 1, 'x-overflow': 'reject-publish' });
  const publish = () => new Promise((resolve) => ch.sendToQueue(q, Buffer.from('x'), {}, resolve));
  assert.strictEqual(await publish(), null);
  assert((await publish()) instanceof Error);
  const open = await exclusive(ch);
  for (let i = 0; i < 1000; ++i) ch.sendToQueue(open, Buffer.from('x'));
  await ch.waitForConfirms();
  assert.strictEqual((await ch.checkQueue(open)).messageCount, 1000);
});

withChannel('dead letters', async (ch) => {
  const dead = await exclusive(ch);
  const { queue } = await ch.assertQueue('', {
    exclusive: true, messageTtl: 20, deadLetterExchange: '', deadLetterRoutingKey: dead, maxLength: 10, expires: 60000,
  });
  ch.sendToQueue(queue, Buffer.from('x'));
  const [death] = (await take(ch, dead)).properties.headers['x-death'];
  assert.strictEqual(death.reason, 'expired');
  assert.strictEqual(death.count, 1);
  assert.strictEqual(death.queue, queue);
});

withChannel('exchanges to exchanges, with an alternate', async (ch) => {
  const [a, b, other] = [name('x'), name('x'), name('x')];
  await ch.assertExchange(other, 'fanout', { durable: false, autoDelete: true });
  await ch.assertExchange(a, 'topic', { durable: false, alternateExchange: other });
  await ch.assertExchange(b, 'headers', { durable: false, internal: true });
  await ch.bindExchange(b, a, 'k.*');
  const [one, two] = [await exclusive(ch), await exclusive(ch)];
  await ch.bindQueue(one, b, '', { 'x-match': 'all', n: 1 });
  await ch.bindQueue(two, other, '');
  ch.publish(a, 'k.1', Buffer.from('1'), { headers: { n: 1 } });
  ch.publish(a, 'elsewhere', Buffer.from('2'));
  assert.strictEqual((await take(ch, one)).content.toString(), '1');
  assert.strictEqual((await take(ch, two)).content.toString(), '2');
  await ch.unbindExchange(b, a, 'k.*');
  await ch.deleteExchange(a);
  await ch.deleteExchange(b);
});

withChannel('direct reply-to', async (ch, c) => {
  const q = await exclusive(ch);
  const answers = [];
  await ch.consume('amq.rabbitmq.reply-to', (m) => answers.push(m.content.toString()), { noAck: true });
  ch.sendToQueue(q, Buffer.from('3'), { replyTo: 'amq.rabbitmq.reply-to' });
  const server = await c.createChannel();
  const question = await take(server, q);
  server.sendToQueue(question.properties.replyTo, Buffer.from('9'));
  await until(() => answers.length, 'the answer');
  assert.deepStrictEqual(answers, ['9']);
});

withChannel('priorities and prefetch', async (ch) => {
  const { queue } = await ch.assertQueue('', { exclusive: true, maxPriority: 5 });
  for (const priority of [1, 5, 3]) ch.sendToQueue(queue, Buffer.from(String(priority)), { priority });
  await until(async () => (await ch.checkQueue(queue)).messageCount === 3, 'three');
  const found = [];
  await ch.prefetch(1);
  await ch.consume(queue, (m) => { found.push(m.content.toString()); ch.ack(m); });
  await until(() => found.length === 3, 'three');
  assert.deepStrictEqual(found, ['5', '3', '1']);
});

withChannel('100 channels at once', async (_ch, c) => {
  const channels = await Promise.all(Array.from({ length: 100 }, () => c.createChannel()));
  const queues = await Promise.all(channels.map((ch) => exclusive(ch)));
  assert.strictEqual(new Set(queues).size, 100);
  await Promise.all(channels.map((ch) => ch.close()));
});

run();
