// @keyv/test-suite, which every storage adapter of Keyv must pass, through @keyv/redis. Run by vitest.
import KeyvRedis from '@keyv/redis';
import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite';
import Redis from 'ioredis5';
import Keyv from 'keyv';
import * as test from 'vitest';
import { startServer } from './server.mjs';

const server = await startServer();
test.afterAll(() => server.remove()); // a worker of vitest does not end as a process does
const store = () => new KeyvRedis(server.url, { noNamespaceAffectsAll: true });

// What needs MULTI is skipped, visibly, as long as minod does not serve it.
const needMulti = ['.deleteMany([keys]) should delete multiple key'];
const probe = new Redis(server.port);
const servesMulti = (await probe.call('MULTI').catch(() => 'no')) === 'OK';
probe.disconnect();
const it = (name, run) => (servesMulti || !needMulti.includes(name) ? test.it : test.it.skip)(name, run);

keyvTestSuite({ ...test, it }, Keyv, store);
keyvIteratorTests({ ...test, it }, Keyv, store);
