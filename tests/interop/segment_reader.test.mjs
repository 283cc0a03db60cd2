// Segments that minod wrote, read by somebody else's code: kafkajs's decoder of record batches and its CRC-32C, and
// fzstd for zstd. What they say must be what was written.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { decompress } from 'fzstd';
import Redis from 'ioredis5';
import { startServer } from './server.mjs';

const require = createRequire(import.meta.url);
const kafkajs = require('kafkajs');
const Decoder = require('kafkajs/src/protocol/decoder');
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder');
const crc32C = require('kafkajs/src/protocol/recordBatch/crc32C');

kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
  compress: () => assert.fail('nothing is compressed here'),
  decompress: async (buffer) => Buffer.from(decompress(buffer)),
});

const logStartControl = 0x4d53;

// The batches of a segment, up to zeros or the end of the file.
async function readSegment(file) {
  const bytes = readFileSync(file);
  const batches = [];
  let position = 0;
  while (position + 61 <= bytes.length && bytes.readInt32BE(position + 8) !== 0) {
    const size = 12 + bytes.readInt32BE(position + 8);
    const batch = bytes.subarray(position, position + size);
    assert.equal(batch.length, size, `${file} at ${position}: the whole batch is there`);
    assert.equal(batch.readInt8(16), 2, 'magic');
    assert.equal(crc32C(batch.subarray(21)) >>> 0, batch.readUInt32BE(17), `${file} at ${position}: CRC`);
    const decoded = await decodeBatch(new Decoder(Buffer.from(batch)));
    batches.push({ ...decoded, position, codec: batch.readInt16BE(21) & 7, count: batch.readInt32BE(57) });
    position += size;
  }
  return { batches, size: position, padded: bytes.length > position };
}

const headerNumber = (record, name) => record.headers[name]?.readBigInt64BE();

async function write(client) {
  const state = new Map();
  const set = async (key, value, at) => {
    await (at ? client.set(key, value, 'PXAT', at) : client.set(key, value));
    state.set(key, { value: Buffer.from(value), at });
  };
  await client.set('gone:1', 'before the flush');
  await client.flushdb();
  const soon = Date.now() + 3_600_000;
  for (let i = 0; i < 400; ++i) {
    const noise = Buffer.from(Array.from({ length: 6000 + i }, () => Math.floor(Math.random() * 256)));
    await set(`key:${i % 300}`, noise, i % 3 === 0 ? soon + i : undefined);
    if (i % 7 === 0) {
      await client.del(`key:${i}`);
      state.delete(`key:${i}`);
    }
  }
  const pairs = Array.from({ length: 200 }, (_, i) => [`m:${i}`, `value ${i}`]);
  await client.mset(pairs.flat());
  for (const [key, value] of pairs) state.set(key, { value: Buffer.from(value), at: undefined });
  await set('', 'an empty key');
  await set('empty', '');
  await client.expire('m:0', 5000);
  state.get('m:0').at = Number(await client.pexpiretime('m:0'));
  return state;
}

for (const codec of ['none', 'zstd']) {
  describe(codec, () => {
    test('segments hold what was written', async () => {
      const server = await startServer(['--segment-bytes', '1mb', '--compression-type', codec, '--compaction', 'no']);
      const client = new Redis(server.port);
      const written = await write(client);
      client.disconnect();
      assert.equal(await server.stop(), 0);

      const directory = join(server.data, 'db0-0');
      const names = readdirSync(directory).filter((name) => /^\d{20}\.log$/.test(name)).sort();
      assert.ok(names.length > 2, 'there are sealed segments');

      const state = new Map();
      let next = 0n;
      let compressed = 0;
      let controls = 0;
      for (const name of names) {
        const segment = await readSegment(join(directory, name));
        const sealed = name !== names.at(-1);
        assert.ok(!sealed || !segment.padded, `${name} ends with its last batch`);
        assert.equal(BigInt(name.slice(0, 20)), BigInt(segment.batches[0].firstOffset), 'named by its first offset');
        for (const batch of segment.batches) {
          assert.equal(BigInt(batch.firstOffset), next, 'offsets have no gaps');
          assert.equal(batch.records.length, batch.count);
          assert.equal(batch.count, batch.lastOffsetDelta + 1);
          assert.equal(batch.producerId, '-1');
          assert.ok(codec === 'zstd' ? [0, 4].includes(batch.codec) : batch.codec === 0);
          compressed += batch.codec === 4;
          const times = batch.records.map((record) => Number(record.timestamp));
          assert.equal(Math.max(...times), Number(batch.maxTimestamp));
          for (const record of batch.records) {
            assert.equal(BigInt(record.offset), next++);
            if (batch.isControlBatch) {
              ++controls;
              assert.equal(record.key.readInt16BE(2), logStartControl);
              state.clear();
              continue;
            }
            assert.ok((headerNumber(record, 'd') ?? 0n) <= BigInt(record.offset), 'only what came before was durable');
            const at = headerNumber(record, 'e');
            if (record.value === null) state.delete(record.key.toString());
            else state.set(record.key.toString(), { value: record.value, at: at === undefined ? undefined : Number(at) });
          }
        }
        if (sealed) checkIndexes(directory, name, segment);
      }
      assert.equal(controls, 1, 'FLUSHDB');
      assert.equal(compressed > 0, codec === 'zstd');
      assert.deepEqual([...state.keys()].sort(), [...written.keys()].sort());
      for (const [key, { value, at }] of written) {
        assert.ok(state.get(key).value.equals(value), key);
        assert.equal(state.get(key).at, at, key);
      }
    });
  });
}

// Each entry names a batch that is there.
function checkIndexes(directory, name, { batches }) {
  const base = BigInt(name.slice(0, 20));
  const lastOffsets = new Map(batches.map((b) => [b.position, BigInt(b.firstOffset) + BigInt(b.lastOffsetDelta)]));
  const index = readFileSync(join(directory, name.replace('.log', '.index')));
  assert.equal(index.length % 8, 0);
  assert.ok(index.length > 0, 'a segment of a megabyte has entries');
  for (let at = 0; at < index.length; at += 8) {
    assert.equal(base + BigInt(index.readInt32BE(at)), lastOffsets.get(index.readInt32BE(at + 4)));
  }
  const times = readFileSync(join(directory, name.replace('.log', '.timeindex')));
  assert.equal(times.length % 12, 0);
  const last = times.subarray(-12);
  assert.equal(Number(last.readBigInt64BE(0)), Math.max(...batches.map((b) => Number(b.maxTimestamp))));
}
