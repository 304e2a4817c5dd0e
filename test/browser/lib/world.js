// What all browser tests share: the real server, a real Chromium, and pages that fail a test on a script error, a broken
// content security policy, or a request to anywhere else.
import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import {chromium} from 'playwright-core';
import {startServer} from '../../../interop/lib/server.js';

const executablePath = process.env.HEARTMARK_CHROMIUM ?? '/usr/bin/chromium';
export const skip = existsSync(executablePath) ? false : `needs Chromium at ${executablePath}`;
if (skip && process.env.HEARTMARK_REQUIRE_CHROMIUM === '1') throw new Error(`Chromium is required here: ${skip}`);

export async function startWorld() {
  const server = await startServer();
  const browser = await chromium.launch({executablePath, args: [
    '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
  ]});

  async function issue() {
    const assessed = await server.call('POST', '/v1/assessments', await server.conversation('rich.jsonl'), 'application/jsonl');
    const issued = await server.call('POST', '/v1/credentials', JSON.stringify({
      configuration: 'dei-profile', report: assessed.reports[0].id,
      subject: {id: 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'},
    }));
    return {id: issued.id, credential: issued.credentials[0].credential};
  }

  // open gives a page; sent collects the bodies of requests that carry one.
  async function open(t, path, options = {}) {
    const context = await browser.newContext({locale: 'en-GB', ...options});
    const page = await context.newPage();
    const faults = [];
    page.sent = [];
    page.on('pageerror', e => faults.push(`script error: ${e}`));
    page.on('console', m => { if (/Content Security Policy|Refused to/.test(m.text())) faults.push(m.text()); });
    page.on('request', r => {
      if (!r.url().startsWith(server.origin) && !r.url().startsWith('data:')) faults.push(`request to ${r.url()}`);
      if (r.method() !== 'GET') page.sent.push(`${r.method()} ${new URL(r.url()).pathname}`);
    });
    t.after(async () => { await context.close(); assert.deepEqual(faults, []); });
    await page.goto(server.origin + path);
    return page;
  }

  return {server, browser, issue, open, async stop() { await browser.close(); await server.stop(); }};
}
