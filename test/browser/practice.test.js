// Practice in a real Chromium: a scene is answered with and without script, the feedback comes from the classifier, progress
// stays in the browser, and a mark of the feedback is thanked for.
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

async function answer(page, text) {
  await page.locator('#answer').fill(text);
  await page.locator('.exchange .you button[type=submit]').click();
  await page.locator('#feedback').waitFor();
}

test('from the start page to feedback and back, with progress', {skip}, async t => {
  const page = await open(t, '/', {viewport: {width: 390, height: 844}});
  await page.getByRole('link', {name: 'Practise with real scenes'}).click();
  assert.match(await page.locator('.week').innerText(), /Mo/);
  assert.equal(await page.locator('.week .on').count(), 0);
  await page.locator('.next .button').click();
  await answer(page, 'My mistake, I went in too early. Shall we hold the middle together next round?');
  assert.equal(await page.locator('.sides li.shown').count() >= 1, true, await page.locator('#feedback').innerText());
  assert.match(await page.locator('#answer').inputValue(), /My mistake/);
  await page.getByRole('button', {name: 'It fits'}).click();
  await page.getByText('Thank you. Your mark is counted').waitFor();
  await page.goto(server.origin + '/practice');
  assert.equal(await page.locator('.week .on').count(), 1);
  assert.match(await page.locator('.aside').innerText(), /1 of 1 days[\s\S]*1 of 60 scenes answered/);
  await page.locator('#goal').selectOption('3');
  await page.getByRole('button', {name: 'Set'}).click();
  assert.match(await page.locator('.aside').innerText(), /1 of 3 days/);
  await page.getByRole('button', {name: 'Forget my progress'}).click();
  assert.match(await page.locator('.aside').innerText(), /0 of 1 days[\s\S]*0 of 60 scenes answered/);
});

test('an answer that strikes back gets a direction and no words to copy', {skip}, async t => {
  const page = await open(t, '/practice/game-lost-round');
  await answer(page, 'Shut up, you idiot, you are the worst player here.');
  assert.match(await page.locator('.sides li.missed').first().innerText(), /Composure[\s\S]*A direction:[\s\S]*\?/);
});

test('in Chinese, without script: a warm answer is seen as warm, and words of harm get help in place of feedback', {skip}, async t => {
  const page = await open(t, '/practice/zh-gaokao-score', {javaScriptEnabled: false, locale: 'zh-CN'});
  await answer(page, '差这么一点，心里肯定很不好受吧。想说说吗？我在。');
  assert.equal(await page.locator('#feedback-h').innerText(), '对方能感受到');
  await answer(page, '我不想活了，真的撑不住了');
  assert.match(await page.locator('#feedback').innerText(), /援助热线/);
  assert.equal(await page.locator('.sides').count(), 0);
});

test('what cannot be read fairly gets no judgement', {skip}, async t => {
  const page = await open(t, '/practice/social-pet-died');
  for (const [text, want] of [['ok', /too short/], ['Das tut mir wirklich sehr leid, wie geht es dir jetzt?', /English and Chinese/]]) {
    await answer(page, text);
    assert.match(await page.locator('#feedback').innerText(), want);
  }
});

test('scenes can be narrowed by skill and difficulty, the reader\'s own language first', {skip}, async t => {
  const page = await open(t, '/practice', {locale: 'zh-CN'});
  assert.match(await page.locator('.scenes li').first().innerText(), /[一-鿿]/);
  await page.locator('select[name=dimension]').selectOption('social_skills');
  await page.locator('select[name=difficulty]').selectOption('3');
  await page.getByRole('button', {name: '筛选'}).click();
  assert.ok(await page.locator('.scenes .scene').count() >= 3);
  for (const text of await page.locator('.scenes .scene').allInnerTexts()) assert.match(text, /社交技能[\s\S]*微妙/);
});
