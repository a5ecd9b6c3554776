/** The page in a real browser, end to end: one server, one browser, two people, and the other wires beside them. */
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import t from 'tap';
import { openBrowser, openPage, violationsOf } from './support/browser.ts';
import { connectLine } from './support/line-client.ts';
import { startServer } from './support/server-process.ts';
import { requireTool } from './support/tools.ts';

const KIB = 1024;
const pageFolder = new URL('../client/page/', import.meta.url);
const pictures = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));

t.setTimeout(90_000);

t.test('what a browser loads first is at most 60 KiB', async t => {
  const files = ['index.html', 'page.js', 'page.css'];
  const octets = await Promise.all(files.map(async name => (await readFile(new URL(`${name}.br`, pageFolder))).length));
  const sum = octets.reduce((all, one) => all + one, 0);
  t.ok(sum <= 60 * KIB, `${sum} octets`);
});

async function say(page: Page, text: string): Promise<void> {
  await page.fill('#message', text);
  await page.press('#message', 'Enter');
}

const textOf = (page: Page, text: string) => page.locator('.history .text', { hasText: text }).first().waitFor();

/** Kept only on request, so that a run changes no file of the tree. */
async function picture(page: Page, name: string): Promise<void> {
  if (process.env['PARTYLINE_TEST_PICTURES'] === undefined) return;
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: `${pictures}${name}.png` });
}

t.test('two people and other wires meet on the page', async t => {
  const chromium = requireTool(t, 'chromium');
  if (chromium === undefined) return;
  const server = await startServer(t, { env: { PARTYLINE_FTP_PORT: '0' } });
  const [, setup = ''] = /in a browser: (\S+)/.exec(server.output()) ?? [];
  const browser = await openBrowser(t, chromium);
  const ada = await openPage(browser, setup);
  const { page } = ada;

  await t.test('the setup link makes the first account, which makes a room', async t => {
    t.same(await violationsOf(page), [], 'the door');
    await page.fill('[name=username]', 'ada');
    await page.fill('#password', 'correct horse');
    await page.click('button.primary');
    await page.click('[aria-label="New room"]');
    await page.fill('dialog [name=room]', 'den');
    await page.fill('dialog [name=topic]', 'Tea at five');
    await page.click('dialog .primary');
    await page.waitForSelector('h1:has-text("#den")');
    await say(page, 'Welcome to the **den**, see `README`');
    await textOf(page, 'Welcome to the den');
  });

  await page.click('.panel .wide');
  t.same(await violationsOf(page), [], 'a dialog');
  await page.click('dialog .primary');
  const link = await page.inputValue('#invite-link');
  await page.keyboard.press('Escape');
  const bob = await openPage(browser, link);

  await t.test('a guest comes by the link of an invite, and they talk', async t => {
    await bob.page.fill('[name=username]', 'bob');
    await bob.page.click('button.primary');
    await bob.page.waitForSelector('h1:has-text("#den")');
    await textOf(bob.page, 'Welcome to the den');
    await say(bob.page, 'Thanks! @ada is here');
    await page.locator('.mention.is-me').waitFor();
    await page.locator('.people', { hasText: 'bob' }).waitFor();
    t.match(await page.textContent('.people'), /bob.*guest.*over web/);
  });

  await t.test('reactions, replies and edits are seen by the other', async () => {
    await page.locator('article', { hasText: 'Thanks!' }).hover();
    await page.locator('article', { hasText: 'Thanks!' }).getByLabel('Reply').click();
    await say(page, 'at your servise');
    await bob.page.locator('.answered', { hasText: 'Thanks!' }).waitFor();
    await page.press('#message', 'ArrowUp');
    await say(page, 'at your service');
    await textOf(bob.page, 'at your service');
    await bob.page.locator('article', { hasText: 'at your service' }).hover();
    await bob.page.locator('article', { hasText: 'at your service' }).getByLabel('React').click();
    await bob.page.getByLabel('React 🎉').click();
    await page.locator('.reactions', { hasText: '🎉' }).waitFor();
  });

  await t.test('a line typed on the line wire appears, and a file put there with its preview', async () => {
    const line = await connectLine(t, server.ports.line);
    line.send('LOGIN ada :correct horse');
    line.send('SAY den :typed by hand');
    await textOf(bob.page, 'typed by hand');
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEklEQVR4nGNgSFj0H4QZYAwAO0gHrfn5Xn8AAAAASUVORK5CYII=',
      'base64',
    );
    line.send(`{${png.length}} PUT /den/dot.png`);
    line.send(png);
    line.send('');
    await bob.page.locator('.preview img').waitFor();
    line.finish();
  });

  await t.test('stored HTML, scripts and addresses do nothing', async t => {
    const attacks = [
      '<img src=x onerror=alert(1)><script>alert(2)</script>',
      '[click](javascript:alert(3)) javascript:alert(4)',
      '[x](https://example.org/"onmouseover="alert(5))',
      '`<svg onload=alert(6)>` **<b onclick=alert(7)>x</b>**',
    ];
    for (const attack of attacks) await say(bob.page, attack);
    await textOf(page, '<svg onload=alert(6)>');
    const count = await page
      .locator('.history .text :is(img, script, svg, b, [onclick], a:not([href^="http"]))')
      .count();
    t.equal(count, 0);
    t.same([...ada.faults, ...bob.faults], []);
  });

  await t.test('what is dropped is uploaded, over a restart of the server, and has the right hash', async t => {
    const octets = Uint8Array.from({ length: 4 * 1024 * KIB }, (_, at) => (at * at) >> 7);
    await page.getByLabel('Files', { exact: true }).click();
    const data = await page.evaluateHandle(
      `(() => {
        const data = new DataTransfer();
        const octets = Uint8Array.from({ length: ${octets.length} }, (_, at) => (at * at) >> 7);
        data.items.add(new File([octets], 'large.bin'));
        data.items.add(new File(['small'], 'small.txt'));
        return data;
      })()`,
    );
    // Half of it is held when the server goes.
    let isCut = false;
    await page.route('**/api/commands/CHUNK?*offset=2097152', async route => {
      if (isCut) return route.continue();
      isCut = true;
      await server.kill();
      await route.abort();
    });
    await page.dispatchEvent('.chat', 'drop', { dataTransfer: data });
    await page.locator('.banner').waitFor();
    await say(page, 'typed while it was away');
    await server.start();
    // As when a machine finds its network again: nobody waits for the next try.
    for (const { page } of [ada, bob]) await page.evaluate("dispatchEvent(new Event('online'))");
    await page.locator('.files .file-name', { hasText: 'large.bin' }).waitFor({ timeout: 20_000 });
    const answer = await page.request.get(`http://127.0.0.1:${server.ports.http}/files/den/large.bin`);
    const hash = createHash('sha256').update(octets).digest('hex');
    t.equal(answer.headers()['etag'], `"sha256:${hash}"`);
    await textOf(page, 'typed while it was away');
    await textOf(bob.page, 'typed while it was away');
    t.equal(await bob.page.locator('.text', { hasText: 'typed while it was away' }).count(), 1, 'sent once');
  });

  await t.test('a long history is read backwards, and a link leads to one message', async t => {
    const line = await connectLine(t, server.ports.line);
    line.send('LOGIN ada :correct horse\nCREATE long');
    for (let n = 1; n <= 1_500; n++) line.send(`SAY long :number ${n}`);
    line.send('PING token=all-said');
    await line.until(/all-said/);
    line.finish();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('long');
    await page.keyboard.press('Enter');
    await textOf(page, 'number 1500');
    const history = page.locator('.history');
    for (let n = 0; n < 40 && !(await page.locator('.notes').isVisible()); n++) {
      await history.evaluate('element => { element.scrollTop = 200; }');
      await page.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))');
    }
    await textOf(page, 'number 1');
    t.ok((await page.locator('.history article').count()) <= 500, 'few are in the document');
    await page.evaluate("location.hash = '#long/750'");
    await page.locator('#m750.is-wanted').waitFor();
    t.equal(
      await page
        .locator('#m750')
        .innerText()
        .then(text => /number 750/.test(text)),
      true,
    );
  });

  await t.test('the wire view draws what another connection of hers does, and no password', async t => {
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.getByLabel('The wire').click();
    await page.getByRole('button', { name: 'Watch' }).click();
    await page.getByText('Seen by:').waitFor();
    const line = await connectLine(t, server.ports.line);
    line.send('LOGIN ada :correct horse');
    line.send('SAY den :seen on the wire');
    await page.locator('.wire .words', { hasText: 'SAY den :seen on the wire' }).waitFor();
    line.finish();
    await page.locator('.wire .words', { hasText: 'BYE reason=drained' }).waitFor();
    await page.locator('.wire .words', { hasText: 'closed;' }).first().waitFor();
    t.notMatch(await page.locator('.wire').textContent(), /correct horse/);
    t.same(await violationsOf(page), [], 'the wire view');
    await picture(page, 'page-wire');
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Watch' }).waitFor();
  });

  await t.test('search finds, and screens are accessible in every theme and on a phone', async t => {
    await page.keyboard.press('Control+f');
    await page.fill('[type=search]', 'from:bob thanks');
    await page.press('[type=search]', 'Enter');
    await page.locator('.found button').first().click();
    await page.waitForSelector('h1:has-text("#den")');
    t.same(await violationsOf(page), [], 'search');
    for (const panel of ['Administration', 'People']) {
      await page.locator('.header').getByLabel(panel, { exact: true }).click();
      t.same(await violationsOf(page), [], panel);
    }
    await picture(page, 'page-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    t.same(await violationsOf(page), [], 'dark');
    await picture(page, 'page-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.locator('.panel').getByLabel('Close').click();
    await page.setViewportSize({ width: 390, height: 800 });
    t.same(await violationsOf(page), [], 'phone');
    await picture(page, 'page-phone');
    await page.getByLabel('Rooms and settings').click();
    t.same(await violationsOf(page), [], 'drawer');
    await page.locator('.rooms').getByLabel('Settings').click();
    await page.getByLabel('Language').selectOption('zh');
    await page.getByRole('heading', { name: '设置' }).waitFor();
    t.equal(await page.locator('html').getAttribute('lang'), 'zh');
    t.same([...ada.faults, ...bob.faults], []);
  });
});
