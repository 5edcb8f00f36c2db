// Messages to the user, at the edge of the page: read aloud by screen readers, gone after a while unless they matter.
import { isTransferKitError } from 'transferkit';
import { button, make } from './dom.ts';
import { texts } from './texts.ts';

/** What a message offers. */
export interface NoticeOptions {
  /** Name of what can be done about it. */
  readonly action?: string;
  readonly run?: () => void;
  /** Stays until it is closed, and is read at once. */
  readonly isProblem?: boolean;
}

const region = make('div', { className: 'notices', attributes: { role: 'region', 'aria-label': texts.notices } });
const polite = make('div', { attributes: { role: 'status' } });
const urgent = make('div', { attributes: { role: 'alert' } });
region.append(urgent, polite);

/** Milliseconds that a message without a problem stays. */
const patience = 9000;

/** The element that shows messages. */
export function noticeRegion(): HTMLElement {
  return region;
}

/** Shows a message. */
export function notify(text: string, { action, run, isProblem = false }: NoticeOptions = {}): void {
  const close = (): void => {
    notice.remove();
  };
  const notice = make(
    'div',
    { className: isProblem ? 'notice problem' : 'notice' },
    make('p', {}, text),
    action === undefined
      ? undefined
      : button(
          action,
          () => {
            run?.();
            close();
          },
          { className: 'button plain' },
        ),
    button('×', close, { className: 'button plain close', ariaLabel: texts.close }),
  );
  (isProblem ? urgent : polite).replaceChildren(notice);
  if (!isProblem) setTimeout(close, patience);
}

/** Shows an error: what happened, and what to do. */
export function notifyError(error: unknown): void {
  notify(explain(error), { isProblem: true });
}

/** An error in words for the user of the page. */
export function explain(error: unknown): string {
  if (!isTransferKitError(error)) return texts.errors.unknown(error instanceof Error ? error.message : String(error));
  const ours = texts.errors.byCode[error.code];
  const detail = error.message.replace(/^\[transferkit\] (?:[\w.]+: )?/, '');
  return ours === undefined ? texts.errors.unknown(detail) : `${ours} ${texts.errors.detail(detail)}`;
}
