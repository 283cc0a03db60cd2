// Starts the minod under test for a test written in JavaScript, on a free port, with a directory that goes with it.
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';

export const binary = process.env.MINOD_BINARY;

export async function startServer(options = []) {
  const directory = mkdtempSync(join(process.cwd(), 'live-'));
  const port = await freePort();
  const log = join(directory, 'log');
  const out = openSync(log, 'a');
  const child = spawn(binary, ['--dir', join(directory, 'data'), '--port', String(port), ...options],
                      { stdio: ['ignore', out, out] });
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal)));
  process.on('exit', remove);
  for (let tries = 0; tries < 400 && child.exitCode === null; ++tries) {
    if (await answers(port)) return { port, data: join(directory, 'data'), stop, remove, url: `redis://127.0.0.1:${port}` };
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`minod did not start:\n${readFileSync(log, 'utf8')}`);

  function remove() {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }

  // A clean stop; the data stays until the process exits.
  async function stop() {
    child.kill('SIGTERM');
    return ended;
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
