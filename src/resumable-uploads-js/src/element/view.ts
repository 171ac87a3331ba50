import type { UploadQueue } from '../queue/queue.js';
import { button, firstButton, h, icon, setText } from './dom.js';
import type { Language } from './language.js';
import type { Row } from './row.js';
import css from './styles.css';

/** The number of completed uploads from which they are collapsed. */
const minCollapsed = 6;

let sheet: CSSStyleSheet | undefined;

/** The buttons of an element, besides those of the rows. Some are named like the method of the queue that they call. */
export type ViewAction = 'files' | 'folder' | 'photo' | 'pause' | 'cancel' | 'resume' | 'retry' | 'showFinished' | 'clearFinished';

/** What an element shows, besides its uploads. */
export interface ViewOptions {
  _hint: string;
  _isNotice: boolean;
  _isOver: boolean;
  _isDisabled: boolean;
  _hasFolders: boolean;
  _hasPhotos: boolean;
  _isCollapsed: boolean;
  _isForm: boolean;
}

/** The elements in the shadow tree, except the rows. */
export interface View {
  readonly _inputs: Record<'files' | 'folder' | 'photo', HTMLInputElement>;
  readonly _live: HTMLElement;
  readonly _list: HTMLElement;
  readonly _choose: HTMLButtonElement;
  /** Returns the state of all uploads in words. */
  _summary(): string;
  _show(language: Language, queue: UploadQueue | undefined, rows: Row[], options: ViewOptions): void;
}

export function createView(root: ShadowRoot, act: (action: ViewAction) => void): View {
  const inputs = {
    files: h('input', ''),
    folder: Object.assign(h('input', ''), { webkitdirectory: true }),
    photo: Object.assign(h('input', ''), { accept: 'image/*', capture: 'environment' }),
  };
  const live = Object.assign(h('div', 'sr'), { role: 'status' });
  const list = Object.assign(h('ul', 'list'), { role: 'list' });
  const title = h('p', 'title');
  const hint = h('p', 'hint');
  const headline = h('p', 'summary');
  const detail = h('p', 'detail');
  const progress = h('progress', 'progress overall');
  const buttons = {} as Record<ViewAction, HTMLButtonElement>;
  const create = (action: ViewAction, names: string): HTMLButtonElement => buttons[action] = button(names, () => act(action));
  const choose = create('files', 'choose');
  const head = h('div', 'head', h('div', 'heading', headline, detail),
    create('retry', 'retry-all'), create('resume', 'resume-all'), create('pause', 'quiet pause-all'), create('cancel', 'quiet cancel-all'), create('clearFinished', 'quiet clear'),
    progress);
  const card = h('div', 'card', head, list, create('showFinished', 'quiet show-finished'),
    h('div', 'dropzone', icon('upload'), title, hint, h('div', 'buttons', choose, create('photo', 'take-photo'), create('folder', 'choose-folder'))));
  const toggle = (element: Element, name: string, isOn: boolean): unknown => element.classList.toggle(name, isOn);
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
  }

  root.adoptedStyleSheets = [sheet];
  root.append(card, ...Object.values(inputs).map(input => Object.assign(input, { type: 'file', hidden: true })), live);
  return {
    _inputs: inputs,
    _live: live,
    _list: list,
    _choose: choose,
    _summary: () => `${headline.textContent}, ${detail.textContent}`.replace(/, $/, ''),
    _show({ _text: text, _bytes: bytes, _percent: percent, _speed: speed }, queue, rows, options) {
      const count = (...states: string[]): number => rows.filter(row => states.includes(row._state())).length;
      const completed = count('completed');
      const failed = count('failed');
      const waiting = count('waiting');
      const paused = count('paused', ...queue?.isPaused ? ['idle'] : []);
      const total = rows.length - failed - count('pending');
      const running = total - completed - paused;
      const isOpen = total > completed;
      const isDone = completed > 0 && !isOpen && !failed;
      const isFilled = rows.length > 0;
      const isMany = rows.length > 1;
      const isCollapsible = completed >= minCollapsed;
      const isCollapsed = isCollapsible && options._isCollapsed;
      let offset = 0;
      let size = 0;
      for (const row of rows) {
        if (row._state() !== 'failed' && row._state() !== 'pending') {
          offset += row._offset;
          size += row._item.size;
        }
      }

      toggle(card, 'filled', isFilled);
      toggle(card, 'over', options._isOver);
      toggle(card, 'halted', isOpen && running === waiting);
      toggle(card, 'done', isDone);
      toggle(list, 'collapsed', isCollapsed);
      toggle(hint, 'notice', options._isNotice);
      head.hidden = list.hidden = !isFilled;
      list.ariaLabel = progress.ariaLabel = text('files');
      setText(title, text(options._isOver ? 'dropNow' : 'drop'));
      setText(hint, options._hint);
      setText(headline, running && running === waiting ? text(navigator.onLine ? 'waiting' : 'offline')
        : running ? text('uploadingAll', { done: completed, n: total })
        : paused ? text('paused')
        : !total && !failed ? text('unfinished')
        : text('completedAll', { n: completed }));
      const amount = isOpen
        ? [percent(offset, size), text('amount', { offset: bytes(offset), size: bytes(size) }),
          ...speed(running > waiting ? queue!.progress.bytesPerSecond : 0, size - offset)].join(' · ')
        : completed ? bytes(size) : '';
      const failures = failed ? text('failedAll', { n: failed }) : '';
      if (detail.textContent !== amount + failures) {
        detail.replaceChildren(amount, ...failures ? [h('span', 'bad', icon('failed'), failures)] : []);
      }

      progress.max = size || 1;
      progress.value = offset;
      progress.hidden = !isOpen && !isDone;

      const texts: Record<ViewAction, string | false | 0 | undefined> = {
        retry: rows.filter(row => row._remedy() === 'retry').length > 1 && text('retryAll'),
        resume: (isMany || queue?.isPaused) && paused && !running && text('resume'),
        pause: isMany && running && text('pause'),
        cancel: isMany && isOpen && text('cancel'),
        clearFinished: completed && !isOpen && !options._isForm && text('clear'),
        showFinished: isCollapsible && text('showFinished', { n: completed }),
        files: text(isFilled ? 'add' : 'choose'),
        photo: options._hasPhotos && text('takePhoto'),
        folder: options._hasFolders && text('chooseFolder'),
      };
      const focused = root.activeElement;
      for (const [action, element] of Object.entries(buttons)) {
        const label = texts[action as ViewAction];
        element.hidden = !label;
        element.disabled = options._isDisabled && action in inputs;
        setText(element, label || '');
        if (focused === element && !label) {
          // The focus moves on when its button disappears.
          (firstButton(head) ?? choose).focus();
        }
      }

      buttons.showFinished.ariaExpanded = `${!isCollapsed}`;
    },
  };
}
