// The registry's pages in a real Chromium: search, an issuer's authorities and keys, the log entry by entry with its proof
// checked in the browser, and the API document.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {skip, startWorld} from './lib/world.js';

let world, server, open;

before(async () => {
  if (skip) return;
  world = await startWorld();
  ({server, open} = world);
}, {timeout: 180_000});

after(() => world?.stop());

test('an issuer is found and leads to its authorities, its keys and their entries in the log', {skip}, async t => {
  const page = await open(t, '/registry');
  await page.locator('#q').fill('nobody of this name');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing fits').waitFor();
  await page.locator('#q').fill('demo ACADEMY');
  await page.keyboard.press('Enter');
  await page.locator('.issuer h3 a').click();
  assert.equal(await page.locator('h1').innerText(), 'Heartmark Demo Academy');
  assert.ok(await page.locator('.grants li').count() >= 1, 'no authority is shown');
  assert.ok(await page.locator('.timeline li.active').count() >= 1, 'no key is shown');
  await page.locator('.timeline a').first().click();
  assert.match(await page.locator('h1').innerText(), /^Entry \d+$/);
});

test('the proof of an entry is checked on the device, and a changed one does not hold', {skip}, async t => {
  const page = await open(t, '/registry/log');
  await page.locator('#index').fill('1');
  await page.getByRole('button', {name: 'Open'}).click();
  const check = page.getByRole('button', {name: 'Check the proof on this device'});
  await check.click();
  await page.getByText('The entry stands in the log at this place').waitFor({timeout: 60_000});
  await page.evaluate(() => { const c = document.getElementById('check'); c.dataset.leaf = btoa(atob(c.dataset.leaf).replace('key', 'kez')); });
  await check.click();
  await page.getByText('The proof does not hold').waitFor();
  assert.equal(await page.getByText('The entry stands in the log').isVisible(), false);
  assert.deepEqual(page.sent, []);
});

test('the log can be walked, and what is not there is said plainly', {skip}, async t => {
  const page = await open(t, '/registry/log', {locale: 'zh-CN', viewport: {width: 390, height: 844}});
  assert.ok(await page.locator('tbody tr').count() >= 5);
  await page.goto(server.origin + '/registry/log/0');
  await page.getByRole('link', {name: '下一条'}).click();
  assert.equal(await page.locator('h1').innerText(), '条目 1');
  for (const at of ['999999', '-1', 'x', '99999999999999999999']) {
    const response = await page.goto(server.origin + '/registry/log/' + at);
    assert.equal(response.status(), 404, at);
  }
});

test('the snapshot can be taken away as a file', {skip}, async t => {
  const page = await open(t, '/registry');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', {name: /Signed snapshot/}).click()]);
  assert.equal(download.suggestedFilename(), 'registry.json');
});

test('the API document leads from an operation to its types', {skip}, async t => {
  const page = await open(t, '/docs/api');
  await page.getByRole('link', {name: /\/v1\/verify$/}).click();
  assert.match(await page.locator('.operation', {hasText: '/v1/verify'}).first().innerText(), /curl -X POST/);
  await page.locator('.operation a[href^="#type-"]').first().click();
  assert.ok(await page.locator('.type-of').count() >= 1);
});
