import type { UploadQueue } from '../queue/queue.js';
import { button, firstButton, h, icon, setText } from './dom.js';
import type { Language } from './language.js';
import type { Row } from './row.js';
import css from './styles.css';

/** The number of completed uploads from which they are collapsed. */
const minCollapsed = 6;

let sheet: CSSStyleSheet | undefined;

/** The buttons of an element, besides those of the rows. */
export type ViewAction = 'files' | 'folder' | 'photo' | 'pauseAll' | 'resumeAll' | 'retryAll' | 'continueAll' | 'showFinished' | 'clear';

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
export class View {
  readonly _inputs = {
    files: h('input', ''),
    folder: Object.assign(h('input', ''), { webkitdirectory: true }),
    photo: Object.assign(h('input', ''), { accept: 'image/*', capture: 'environment' }),
  };
  readonly _live = Object.assign(h('div', 'sr'), { role: 'status' });
  readonly _list = Object.assign(h('ul', 'list'), { role: 'list' });
  readonly _choose: HTMLButtonElement;

  readonly #title = h('p', 'title');
  readonly #hint = h('p', 'hint');
  readonly #headline = h('p', 'summary');
  readonly #detail = h('p', 'detail');
  readonly #progress = h('progress', 'progress overall');
  readonly #buttons = {} as Record<ViewAction, HTMLButtonElement>;
  readonly #root: ShadowRoot;
  readonly #card: HTMLElement;
  readonly #head: HTMLElement;

  constructor(root: ShadowRoot, act: (action: ViewAction) => void) {
    this.#root = root;
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
    }

    root.adoptedStyleSheets = [sheet];
    const create = (action: ViewAction, names: string): HTMLButtonElement => this.#buttons[action] = button(names, () => act(action));
    this._choose = create('files', 'choose');
    this.#head = h('div', 'head', h('div', 'heading', this.#headline, this.#detail),
      create('retryAll', 'retry-all'), create('continueAll', 'continue-all'), create('resumeAll', 'resume-all'), create('pauseAll', 'quiet pause-all'), create('clear', 'quiet clear'),
      this.#progress);
    this.#card = h('div', 'card', this.#head, this._list, create('showFinished', 'quiet show-finished'),
      h('div', 'dropzone', icon('upload'), this.#title, this.#hint,
        h('div', 'buttons', this._choose, create('photo', 'take-photo'), create('folder', 'choose-folder'))));
    for (const input of Object.values(this._inputs)) {
      Object.assign(input, { type: 'file', hidden: true });
    }

    root.append(this.#card, ...Object.values(this._inputs), this._live);
  }

  /** Gets the state of all uploads in words. */
  get _summary(): string {
    return `${this.#headline.textContent}, ${this.#detail.textContent}`.replace(/, $/, '');
  }

  _show(language: Language, queue: UploadQueue | undefined, rows: Row[], options: ViewOptions): void {
    const { _text: text, _bytes: bytes } = language;
    const count = (...states: string[]): number => rows.filter(row => states.includes(row._state)).length;
    const completed = count('completed');
    const failed = count('failed');
    const pending = count('pending');
    const waiting = count('waiting');
    const total = completed + count('idle', 'preparing', 'uploading', 'waiting', 'paused');
    const paused = count('paused', ...queue?.isPaused ? ['idle'] : []);
    const running = total - completed - paused;
    const isOpen = total > completed;
    let offset = 0;
    let size = 0;
    for (const { _state: state, _offset, _item: item } of rows) {
      if (state !== 'failed' && state !== 'pending') {
        offset += _offset;
        size += item.size;
      }
    }

    const isFilled = rows.length > 0;
    const isCollapsible = completed >= minCollapsed;
    const isCollapsed = isCollapsible && options._isCollapsed;
    const toggle = (element: Element, name: string, isOn: boolean) => element.classList.toggle(name, isOn);
    toggle(this.#card, 'filled', isFilled);
    toggle(this.#card, 'over', options._isOver);
    toggle(this.#card, 'halted', running === waiting);
    toggle(this._list, 'collapsed', isCollapsed);
    toggle(this.#hint, 'notice', options._isNotice);
    this.#head.hidden = this._list.hidden = !isFilled;
    this._list.ariaLabel = text('files');
    setText(this.#title, text(options._isOver ? 'dropNow' : 'drop'));
    setText(this.#hint, options._hint);
    setText(this.#headline, running && running === waiting ? text(navigator.onLine ? 'waiting' : 'offline')
      : running ? text('uploadingAll', { done: completed, n: total })
      : paused ? text('paused')
      : text(pending && !completed ? 'unfinished' : 'completedAll', { n: completed }));
    const detail = isOpen
      ? [language._percent(offset, size), text('amount', { offset: bytes(offset), size: bytes(size) }),
        ...language._speed(running > waiting ? queue!.progress.bytesPerSecond : 0, size - offset)].join(' · ')
      : completed ? bytes(size) : '';
    const failures = failed ? text('failedAll', { n: failed }) : '';
    if (this.#detail.textContent !== detail + failures) {
      this.#detail.replaceChildren(detail, ...failures ? [h('span', 'bad', icon('failed'), failures)] : []);
    }

    this.#progress.max = size || 1;
    this.#progress.value = offset;
    this.#progress.hidden = !isOpen;
    this.#progress.ariaLabel = text('files');

    const isMany = rows.length > 1;
    const texts: Record<ViewAction, string | false> = {
      retryAll: rows.filter(row => row._state === 'failed' && row._remedy === 'retry').length > 1 && text('retryAll'),
      continueAll: rows.filter(row => row._remedy === 'resumePending').length > 1 && text('continueAll'),
      resumeAll: isMany && paused > 0 && !running && text('resumeAll'),
      pauseAll: isMany && running > 0 && text('pauseAll'),
      clear: completed > 0 && !isOpen && !options._isForm && text('clear'),
      showFinished: isCollapsible && text('showFinished', { n: completed }),
      files: text(isFilled ? 'add' : 'choose'),
      photo: options._hasPhotos && text('takePhoto'),
      folder: options._hasFolders && text('chooseFolder'),
    };
    const focused = this.#root.activeElement;
    for (const [action, element] of Object.entries(this.#buttons)) {
      const label = texts[action as ViewAction];
      element.hidden = !label;
      element.disabled = options._isDisabled && action in this._inputs;
      setText(element, label || '');
      if (focused === element && !label) {
        // The focus moves on when its button disappears.
        (firstButton(this.#head) ?? this._choose).focus();
      }
    }

    this.#buttons.showFinished.ariaExpanded = `${!isCollapsed}`;
  }
}
