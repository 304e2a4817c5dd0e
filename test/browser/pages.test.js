// The pages in a real Chromium against the real server: paste, upload and drop a credential, with script and without,
// in both languages; nothing is loaded from elsewhere and the content security policy is never broken.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {skip, startWorld} from './lib/world.js';

let world, server, open, credential, id;

before(async () => {
  if (skip) return;
  world = await startWorld();
  ({server, open} = world);
  ({id, credential} = await world.issue());
}, {timeout: 180_000});

after(() => world?.stop());

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
  assert.deepEqual(page.sent, [], 'something was sent though the check is made on the device');
  assert.match(await page.locator('.place').innerText(), /Checked on this device.*sent nowhere.*registry as of .* UTC \(less than a minute old\)/s);
  assert.ok(Number(await page.locator('#result').getAttribute('data-millis')) > 0, 'no time of the verification');
});

test('the server checks when the visitor chooses it, and says so', {skip}, async t => {
  const page = await open(t, '/verify');
  await page.getByText('By this server').click();
  await paste(page, JSON.stringify(credential));
  assert.equal(await verdict(page), 'valid');
  assert.deepEqual(page.sent, ['POST /verify']);
  assert.match(await page.locator('.place').innerText(), /Checked by this server/);
});

test('a device that cannot check sends nothing until the visitor says so', {skip}, async t => {
  const page = await open(t, '/verify');
  await page.route('**/registry/v1/export', route => route.abort());
  await page.locator('#text').fill(JSON.stringify(credential));
  await page.locator('#verify-form button[type=submit]').click();
  await page.getByText('It could not be checked on this device').waitFor();
  assert.deepEqual(page.sent, []);
  await page.getByRole('button', {name: 'Check it on the server'}).click();
  await page.locator('#result .verdict.valid').waitFor();
  assert.deepEqual(page.sent, ['POST /verify']);
});

test('a snapshot that was changed on its way is refused', {skip}, async t => {
  const page = await open(t, '/verify');
  await page.route('**/registry/v1/export', async route => {
    const response = await route.fetch();
    const body = (await response.text()).replace(/[A-Za-z0-9](?=[A-Za-z0-9]{40})/, c => (c === 'A' ? 'B' : 'A'));
    await route.fulfill({response, body});
  });
  await page.locator('#text').fill(JSON.stringify(credential));
  await page.locator('#verify-form button[type=submit]').click();
  await page.getByText('It could not be checked on this device').waitFor();
  assert.deepEqual(page.sent, []);
});

test('a registry that cannot be reached again is used as it is, and its age is said', {skip}, async t => {
  const page = await open(t, '/verify');
  await paste(page, JSON.stringify(credential));
  await page.route('**/registry/v1/export', route => route.abort());
  await page.locator('#verify-form button[type=submit]').click();
  await page.getByText('could not be loaded anew').waitFor();
  assert.equal(await verdict(page), 'valid');
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

test('a revoked credential is not valid, by the server within its publish delay and on the device with the next snapshot', {skip}, async t => {
  await server.call('POST', `/v1/credentials/${id}/status`, JSON.stringify({status: 'revoked', reason: 'test'}));
  for (const [where, tries] of [['By this server', 100], ['On this device', 150]]) {
    const page = await open(t, '/verify');
    await page.getByText(where).click();
    for (let i = 0; i < tries; i++) {
      await paste(page, JSON.stringify(credential));
      if (await verdict(page) === 'invalid') break;
      await page.waitForTimeout(600);
    }
    assert.equal(await verdict(page), 'invalid', where);
    assert.match(await page.locator('.verdict-head').innerText(), /revoked it/);
    assert.equal(await page.locator('.checks [data-check=status]').getAttribute('class'), 'fail');
  }
});
