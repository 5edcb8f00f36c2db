// The same pages as in harness.ts, in a real Firefox, which is driven by WebDriver BiDi.
import { launch, type Browser, type Page } from 'puppeteer-core';
import { addressOf, serveProgram } from './harness.ts';

/** Debian's place for it, unless another one is named. */
const executablePath = process.env.FIREFOX_PATH ?? '/usr/bin/firefox-esr';

/** An open page and its end. */
export interface FirefoxPage {
  readonly page: Page;
  /** What went wrong in the page so far: uncaught errors and console errors. */
  readonly problems: readonly string[];
  close(): Promise<void>;
}

/**
 * Bundles a program, serves it, and opens it.
 *
 * @param isolated - Cross-origin isolated: threads may share memory.
 */
export async function openInFirefox(program: string, isolated = false): Promise<FirefoxPage> {
  const server = await serveProgram(program, isolated);
  const browser = await started();
  // A context of its own: what it stores is its own.
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(addressOf(server));
  return {
    page,
    problems,
    async close() {
      await context.close();
      server.close();
    },
  };
}

let launched: Promise<Browser> | undefined;

/** The browser of this process; it ends with it, or by {@link closeFirefox}. */
function started(): Promise<Browser> {
  return (launched ??= launch({ browser: 'firefox', executablePath, headless: true }));
}

/** Ends the browser and removes its profile. */
export async function closeFirefox(): Promise<void> {
  await (await launched)?.close();
  launched = undefined;
}
