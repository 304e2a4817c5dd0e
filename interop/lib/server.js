// Starts our own binary on a free loopback port with a fresh data folder, and stops it.
import {spawn, execFile} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

const run = promisify(execFile);
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const binary = join(root, 'bin', 'heartmark');

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const {port} = server.address();
      server.close(() => resolve(port));
    });
  });
}

// config is YAML that stands beside the development settings, which the environment gives.
export async function startServer(config = '') {
  const folder = await mkdtemp(join(tmpdir(), 'heartmark-interop-'));
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const env = {
    ...process.env,
    HEARTMARK_ORIGIN: origin, HEARTMARK_LISTEN: `127.0.0.1:${port}`, HEARTMARK_OPS_LISTEN: '',
    HEARTMARK_DATA_DIR: join(folder, 'store'), HEARTMARK_KEK_FILE: join(folder, 'secrets', 'kek'),
    HEARTMARK_CONFIG: join(folder, 'heartmark.yaml'),
  };
  await writeFile(env.HEARTMARK_CONFIG, config);
  const cli = async (...args) => JSON.parse((await run(binary, [...args, '--json'], {env, cwd: root})).stdout);
  await cli('keys', 'kek');
  const {key} = await cli('keys', 'api', '--tenant', 'demo', '--scope', 'assess,issue,verify');
  const child = spawn(binary, ['serve'], {env, cwd: root, stdio: ['ignore', 'ignore', 'pipe']});
  let log = '';
  child.stderr.on('data', chunk => { log += chunk; });
  const exited = new Promise(resolve => child.once('exit', resolve));
  for (let i = 0; ; i++) {
    const ready = await fetch(`${origin}/readyz`).then(r => r.ok, () => false);
    if (ready) break;
    if (i > 300 || child.exitCode !== null) throw new Error(`server did not start:\n${log}`);
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  return {
    origin,
    tenant: 'demo',
    async call(method, path, body, type = 'application/json') {
      const response = await fetch(origin + path, {
        method, body, headers: {authorization: `Bearer ${key}`, ...(body ? {'content-type': type} : {})},
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text ? JSON.parse(text) : undefined;
    },
    conversation: name => readFile(join(root, 'internal', 'app', 'conversations', name), 'utf8'),
    async stop() {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, {recursive: true, force: true});
    },
  };
}
