/** Debian's Chromium for tests of the page: one browser for a file, whose faults in the console fail it. */
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Ends with the test. */
export async function openBrowser(t: Test, path: string): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: path, args: flags });
  t.teardown(() => browser.close());
  return browser;
}

/** A page of a person of their own; what its scripts throw, and what is refused by its policy, is in `faults`. */
export async function openPage(browser: Browser, url: string, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const faults: string[] = [];
  page.on('pageerror', error => faults.push(error.message));
  page.on('dialog', dialog => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', message => {
    if (/Content Security Policy/.test(message.text())) faults.push(message.text());
  });
  await page.goto(url);
  return { page, faults };
}

/** What axe finds against WCAG 2.2 AA, a line for each. */
export async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(`if (!globalThis.axe) { ${axe.source} }`);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  const found = (await page.evaluate(`axe.run({ runOnly: ${JSON.stringify(tags)} })`)) as axe.AxeResults;
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}
