// The pages in a real Chromium against the real server: paste, upload and drop a credential, with script and without,
// in both languages; nothing is loaded from elsewhere and the content security policy is never broken.
import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {chromium} from 'playwright-core';
import {startServer} from '../../interop/lib/server.js';

const executablePath = process.env.HEARTMARK_CHROMIUM ?? '/usr/bin/chromium';
const skip = existsSync(executablePath) ? false : `needs Chromium at ${executablePath}`;
if (skip && process.env.HEARTMARK_REQUIRE_CHROMIUM === '1') throw new Error(`Chromium is required here: ${skip}`);

let server, browser, credential, id;

before(async () => {
  if (skip) return;
  server = await startServer();
  browser = await chromium.launch({executablePath, args: [
    '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
  ]});
  const assessed = await server.call('POST', '/v1/assessments', await server.conversation('rich.jsonl'), 'application/jsonl');
  const issued = await server.call('POST', '/v1/credentials', JSON.stringify({
    configuration: 'dei-profile', report: assessed.reports[0].id,
    subject: {id: 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'},
  }));
  ({id} = issued);
  credential = issued.credentials[0].credential;
}, {timeout: 180_000});

after(async () => {
  await browser?.close();
  await server?.stop();
});

// open gives a page that fails the test on a script error, a broken policy, or a request to anywhere else.
async function open(t, path, options = {}) {
  const context = await browser.newContext({locale: 'en-GB', ...options});
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', e => faults.push(`script error: ${e}`));
  page.on('console', m => { if (/Content Security Policy|Refused to/.test(m.text())) faults.push(m.text()); });
  page.on('request', r => { if (!r.url().startsWith(server.origin) && !r.url().startsWith('data:')) faults.push(`request to ${r.url()}`); });
  t.after(async () => { await context.close(); assert.deepEqual(faults, []); });
  await page.goto(server.origin + path);
  return page;
}

const verdict = page => page.locator('#result .verdict').getAttribute('data-verdict');

async function paste(page, text) {
  await page.locator('#text').fill(text);
  await page.locator('#verify-form button[type=submit]').click();
  await page.locator('#result .verdict').waitFor();
}

test('a pasted credential is valid, with its levels and every check', {skip}, async t => {
  const page = await open(t, '/verify');
  await paste(page, JSON.stringify(credential));
  assert.equal(await verdict(page), 'valid');
  assert.equal(await page.locator('#verdict-h').innerText(), 'Valid');
  assert.equal(new URL(page.url()).pathname, '/verify');
  assert.ok(await page.locator('.levels li').count() >= 1, 'no level is shown');
  for (const check of ['parse', 'model', 'proof', 'issuer_binding', 'period', 'status', 'schema', 'authority', 'key_interval']) {
    assert.equal(await page.locator(`.checks [data-check=${check}]`).getAttribute('class'), 'pass', check);
  }
  assert.equal(await page.evaluate(() => document.activeElement.id), 'verdict-h', 'the verdict has the focus');
});

test('a changed credential is not valid, and says why', {skip}, async t => {
  const page = await open(t, '/verify');
  const changed = {...credential, name: '<img src=x onerror=alert(1)>'};
  await paste(page, JSON.stringify(changed));
  assert.equal(await verdict(page), 'invalid');
  assert.match(await page.locator('.verdict-head').innerText(), /signature does not fit/i);
  assert.equal(await page.locator('#result img').count(), 0, 'text became markup');
});

test('what is no credential gets a plain answer', {skip}, async t => {
  const page = await open(t, '/verify');
  await paste(page, 'not a credential');
  assert.match(await page.locator('#verdict-h').innerText(), /Cannot be read/);
  await page.locator('#text').fill('');
  await page.locator('#verify-form button[type=submit]').click();
  await page.getByText('Nothing to check yet').waitFor();
});

test('a file is checked when it is chosen, and when it is dropped', {skip}, async t => {
  const page = await open(t, '/verify');
  await page.locator('#file').setInputFiles({name: 'c.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(credential))});
  await page.locator('#result .verdict').waitFor();
  assert.equal(await verdict(page), 'valid');
  const dropped = await open(t, '/verify');
  const transfer = await dropped.evaluateHandle(text => {
    const data = new DataTransfer();
    data.items.add(new File([text], 'c.json', {type: 'application/json'}));
    return data;
  }, JSON.stringify(credential));
  await dropped.locator('.drop').dispatchEvent('drop', {dataTransfer: transfer});
  await dropped.locator('#result .verdict').waitFor();
  assert.equal(await verdict(dropped), 'valid');
});

test('without script the form does the same, in Chinese', {skip}, async t => {
  const page = await open(t, '/verify', {javaScriptEnabled: false, locale: 'zh-CN'});
  await paste(page, JSON.stringify(credential));
  assert.equal(await verdict(page), 'valid');
  assert.equal(await page.locator('#verdict-h').innerText(), '有效');
  assert.equal(await page.title(), '有效 · Heartmark');
});

test('the language is chosen on the page and kept', {skip}, async t => {
  const page = await open(t, '/');
  await page.locator('.nav .lang').click();
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-Hans');
  await page.locator('.nav a[href="/registry"]').click();
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-Hans');
  assert.ok(await page.locator('.issuer').count() >= 1, 'the registry shows no issuer');
});

test('no page is wider than a phone', {skip}, async t => {
  const page = await open(t, '/', {viewport: {width: 390, height: 844}});
  for (const path of ['/', '/verify', '/registry', '/problems', '/problems/status-revoked', '/nowhere']) {
    await page.goto(server.origin + path);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(over <= 0, `${path} is ${over} px too wide`);
  }
});

test('a revoked credential is not valid, and the page says revoked', {skip}, async t => {
  await server.call('POST', `/v1/credentials/${id}/status`, JSON.stringify({status: 'revoked', reason: 'test'}));
  const page = await open(t, '/verify');
  for (let i = 0; i < 100; i++) { // the list follows within its publish delay
    await paste(page, JSON.stringify(credential));
    if (await verdict(page) === 'invalid') break;
    await new Promise(resolve => setTimeout(resolve, 300));
  }
  assert.equal(await verdict(page), 'invalid');
  assert.match(await page.locator('.verdict-head').innerText(), /revoked it/);
  assert.equal(await page.locator('.checks [data-check=status]').getAttribute('class'), 'fail');
});
