// The clients that most programs use: ioredis 5 and 6, iovalkey, node-redis 4, 5 and 6.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import Redis5 from 'ioredis5';
import Redis6 from 'ioredis6';
import Valkey from 'iovalkey';
import * as redis4 from 'redis4';
import * as redis5 from 'redis5';
import * as redis6 from 'redis6';
import { startServer } from './server.mjs';

const password = 'a secret';
let open;
let closed;

before(async () => {
  open = await startServer();
  closed = await startServer(['--requirepass', password]);
});

after(async () => {
  assert.equal(await open.stop(), 0);
  assert.equal(await closed.stop(), 0);
});

// The ioredis family: methods named as commands, lower case.
const families = [
  ['ioredis 5', Redis5, {}],
  ['ioredis 6', Redis6, {}],
  ['iovalkey', Valkey, {}],
];

for (const [name, Redis, options] of families) {
  describe(name, () => {
    let client;
    before(async () => {
      client = new Redis({ port: open.port, db: 3, connectionName: 'interop', ...options });
      client.on('error', (error) => assert.fail(error));
      await client.flushdb();
    });
    after(() => client.quit());

    test('is ready, in its database and by its name', async () => {
      assert.equal(await client.ping(), 'PONG');
      assert.equal(client.status, 'ready');
      assert.equal(await client.client('GETNAME'), 'interop');
      assert.match(await client.client('INFO'), / db=3 /);
    });

    test('values', async () => {
      assert.equal(await client.set('a', '1'), 'OK');
      assert.equal(await client.get('a'), '1');
      assert.equal(await client.get('none'), null);
      assert.equal(await client.set('a', '2', 'NX'), null);
      assert.equal(await client.set('a', '2', 'GET'), '1');
      assert.equal(await client.incrby('n', 41), 41);
      assert.equal(await client.incrbyfloat('f', '0.5'), '0.5');
      const binary = Buffer.from([0, 13, 10, 255, 128]);
      await client.set('b', binary);
      assert.deepEqual(await client.getBuffer('b'), binary);
      assert.equal(await client.append('a', 'xyz'), 4);
      assert.equal(await client.getrange('a', 1, -2), 'xy');
      assert.equal(await client.del('a', 'b', 'none'), 2);
    });

    test('expiry', async () => {
      await client.set('soon', '1', 'PX', 40);
      await client.set('later', '1', 'EX', 100);
      assert.ok((await client.ttl('later')) > 98);
      assert.equal(await client.expire('later', 50, 'GT'), 0);
      assert.equal(await client.persist('later'), 1);
      assert.equal(await client.ttl('later'), -1);
      await new Promise((resolve) => setTimeout(resolve, 80));
      assert.equal(await client.get('soon'), null);
      assert.equal(await client.ttl('soon'), -2);
    });

    test('many keys', async () => {
      await client.mset({ m1: '1', m2: '2' });
      assert.deepEqual(await client.mget('m1', 'none', 'm2'), ['1', null, '2']);
      const written = new Set();
      for (let i = 0; i < 500; ++i) written.add(`scan:${i}`);
      await client.mset([...written].flatMap((key) => [key, 'v']));
      const seen = new Set();
      for await (const keys of client.scanStream({ match: 'scan:*', count: 50 })) keys.forEach((key) => seen.add(key));
      assert.deepEqual(seen, written);
      assert.equal((await client.keys('scan:1?')).length, 10);
    });

    test('pipeline, and an error in the middle of it', async () => {
      const results = await client.pipeline().set('p', 'x').incr('p').get('p').exec();
      assert.deepEqual(results[0], [null, 'OK']);
      assert.match(results[1][0].message, /not an integer/);
      assert.deepEqual(results[2], [null, 'x']);
      const all = await Promise.all(Array.from({ length: 2000 }, (_, i) => client.set(`q${i}`, i)));
      assert.ok(all.every((reply) => reply === 'OK'));
    });

    test('select', async () => {
      await client.set('only3', '1');
      await client.select(4);
      assert.equal(await client.get('only3'), null);
      await client.select(3);
      assert.equal(await client.get('only3'), '1');
      await assert.rejects(client.select(99), /DB index is out of range/);
    });

    test('info', async () => {
      const info = await client.info();
      assert.match(info, /^redis_version:7\./m);
      assert.match(info, /^loading:0/m);
      assert.match(await client.info('keyspace'), /^db3:keys=\d+/m);
    });

    test('password', async () => {
      const right = new Redis({ port: closed.port, password, ...options });
      assert.equal(await right.set('k', 'v'), 'OK');
      await right.quit();
      const wrong = new Redis({ port: closed.port, password: 'no', retryStrategy: null, lazyConnect: true, ...options });
      wrong.on('error', () => {});
      await assert.rejects(async () => {
        await wrong.connect();
        await wrong.get('k');
      });
      wrong.disconnect();
    });
  });
}

const modules = [
  ['node-redis 4', redis4, {}],
  ['node-redis 5', redis5, {}],
  ['node-redis 5, RESP3', redis5, { RESP: 3 }],
  ['node-redis 6', redis6, {}],
  ['node-redis 6, RESP2', redis6, { RESP: 2 }],
];

for (const [name, module, options] of modules) {
  describe(name, () => {
    let client;
    before(async () => {
      client = module.createClient({ url: open.url, database: 5, name: 'interop', ...options });
      client.on('error', (error) => assert.fail(error));
      await client.connect();
      await client.flushDb();
    });
    after(() => (client.close ? client.close() : client.quit()));

    test('is ready, by its name', async () => {
      assert.equal(await client.ping(), 'PONG');
      assert.equal(await client.clientGetName(), 'interop');
    });

    test('values', async () => {
      assert.equal(await client.set('a', '1'), 'OK');
      assert.equal(await client.get('a'), '1');
      assert.equal(await client.get('none'), null);
      assert.equal(await client.set('a', '2', { NX: true }), null);
      assert.equal(await client.set('a', '2', { GET: true }), '1');
      assert.equal(await client.getDel('a'), '2');
      assert.equal(await client.incrBy('n', 5), 5);
      assert.equal(String(await client.incrByFloat('f', 0.5)), '0.5');
      assert.equal(Number(await client.exists(['n', 'f', 'none'])), 2);
    });

    test('expiry', async () => {
      await client.set('soon', '1', { PX: 40 });
      await client.set('later', '1', { EX: 100 });
      assert.ok((await client.ttl('later')) > 98);
      assert.equal(Number(await client.expire('later', 50, 'GT')), 0);
      assert.equal(await client.getEx('later', { type: 'PERSIST', PERSIST: true }), '1');
      await new Promise((resolve) => setTimeout(resolve, 80));
      assert.equal(await client.get('soon'), null);
    });

    test('many keys', async () => {
      await client.mSet({ m1: '1', m2: '2' });
      assert.deepEqual(await client.mGet(['m1', 'none', 'm2']), ['1', null, '2']);
      const written = new Set(Array.from({ length: 300 }, (_, i) => `scan:${i}`));
      await Promise.all([...written].map((key) => client.set(key, 'v')));
      const seen = new Set();
      for await (const keys of client.scanIterator({ MATCH: 'scan:*', COUNT: 40 })) [keys].flat().forEach((key) => seen.add(key));
      assert.deepEqual(seen, written);
    });

    test('pipeline', async () => {
      const all = await Promise.all(Array.from({ length: 2000 }, (_, i) => client.set(`q${i}`, String(i))));
      assert.ok(all.every((reply) => reply === 'OK'));
      await assert.rejects(client.sendCommand(['INCR', 'q0', 'x']), /wrong number of arguments/);
    });

    test('select and database size', async () => {
      await client.select(6);
      await client.flushDb();
      await client.set('k', 'v');
      assert.equal(Number(await client.dbSize()), 1);
      await client.select(5);
      assert.equal(await client.get('k'), null);
    });

    test('password', async () => {
      const right = module.createClient({ url: closed.url, password, ...options });
      right.on('error', () => {});
      await right.connect();
      assert.equal(await right.set('k', 'v'), 'OK');
      await (right.close ? right.close() : right.quit());
      const wrong = module.createClient({ url: closed.url, password: 'no', socket: { reconnectStrategy: false }, ...options });
      wrong.on('error', () => {});
      await assert.rejects(wrong.connect(), /WRONGPASS/);
    });
  });
}
