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

// startServer takes settings of the configuration beside the development settings, which the environment gives, as YAML or as
// an object; files holds texts by name, whose paths an object gets as `{file: name}`.
export async function startServer(config = '') {
  const {settings, files = {}} = typeof config === 'string' ? {} : config;
  const folder = await mkdtemp(join(tmpdir(), 'heartmark-interop-'));
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const env = {
    ...process.env,
    HEARTMARK_ORIGIN: origin, HEARTMARK_LISTEN: `127.0.0.1:${port}`, HEARTMARK_OPS_LISTEN: '',
    HEARTMARK_DATA_DIR: join(folder, 'store'), HEARTMARK_KEK_FILE: join(folder, 'secrets', 'kek'),
    HEARTMARK_CONFIG: join(folder, 'heartmark.yaml'),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, {mode: 0o600});
  // JSON is YAML
  await writeFile(env.HEARTMARK_CONFIG, settings ? JSON.stringify(settings, (_name, value) => value?.file ? join(folder, value.file) : value) : String(typeof config === 'string' ? config : ''));
  const cli = async (...args) => JSON.parse((await run(binary, [...args, '--json'], {env, cwd: root})).stdout);
  await cli('keys', 'kek');
  const {key} = await cli('keys', 'api', '--tenant', 'demo', '--scope', 'assess,issue,verify');
  let child, exited;
  const start = async () => {
    child = spawn(binary, ['serve'], {env, cwd: root, stdio: ['ignore', 'ignore', 'pipe']});
    let log = '';
    child.stderr.on('data', chunk => { log += chunk; });
    exited = new Promise(resolve => child.once('exit', resolve));
    for (let i = 0; ; i++) {
      const ready = await fetch(`${origin}/readyz`).then(r => r.ok, () => false);
      if (ready) break;
      if (i > 300 || child.exitCode !== null) throw new Error(`server did not start:\n${log}`);
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  };
  await start();
  return {
    origin,
    tenant: 'demo',
    async call(method, path, body, type = 'application/json', headers = {}) {
      const response = await fetch(origin + path, {
        method, body, headers: {authorization: `Bearer ${key}`, ...(body ? {'content-type': type} : {}), ...headers},
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text ? JSON.parse(text) : undefined;
    },
    conversation: name => readFile(join(root, 'internal', 'app', 'conversations', name), 'utf8'),
    // crash kills the process without warning and starts another on what it left.
    async crash() {
      child.kill('SIGKILL');
      await exited;
      await start();
    },
    async stop() {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, {recursive: true, force: true});
    },
  };
}
