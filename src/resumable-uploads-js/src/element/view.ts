import { button, h, icon, setText } from './dom.js';
import type { Language } from './language.js';
import css from './styles.css';

let sheet: CSSStyleSheet | undefined;

/** The buttons of an element, besides those of the rows. */
export type ViewAction = 'files' | 'folder' | 'photo' | 'pauseAll' | 'resumeAll' | 'retryAll' | 'continueAll' | 'toggle' | 'clear';

/** What an element shows besides its rows. The numbers are those of rows. */
export interface ViewState {
  total: number;
  completed: number;
  failed: number;
  retryable: number;
  /** The uploads of an earlier visit. */
  pending: number;
  /** The uploads of an earlier visit that can continue with one click. */
  reopenable: number;
  running: number;
  waiting: number;
  paused: number;
  offset: number;
  size: number;
  bytesPerSecond: number;
  hint: string;
  isNotice: boolean;
  isOver: boolean;
  isDisabled: boolean;
  hasFolders: boolean;
  hasPhotos: boolean;
  isCollapsible: boolean;
  isCollapsed: boolean;
  isForm: boolean;
}

/** The elements in the shadow tree, except the rows. */
export class View {
  readonly inputs = {
    files: h('input', { type: 'file', hidden: true }),
    folder: h('input', { type: 'file', hidden: true, webkitdirectory: true }),
    photo: h('input', { type: 'file', hidden: true, accept: 'image/*', capture: 'environment' }),
  };
  readonly live = h('div', { class: 'sr', role: 'status' });
  readonly list = h('ul', { part: 'list', class: 'rows', role: 'list' });
  readonly choose: HTMLButtonElement;

  readonly #title = h('p', { class: 'title' });
  readonly #hint = h('p', { part: 'hint', class: 'hint' });
  readonly #headline = h('p', { part: 'summary', class: 'title' });
  readonly #detail = h('p', { class: 'hint detail' });
  readonly #progress = h('progress', { part: 'progress overall' });
  readonly #buttons = {} as Record<ViewAction, HTMLButtonElement>;
  readonly #card: HTMLElement;
  readonly #head: HTMLElement;

  constructor(private readonly root: ShadowRoot, act: (action: ViewAction) => void) {
    if (sheet === undefined) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
    }

    root.adoptedStyleSheets = [sheet];
    const create = (action: ViewAction, part: string): HTMLButtonElement => this.#buttons[action] = button(part, () => act(action));
    this.choose = create('files', 'choose primary');
    this.#head = h('div', { class: 'head' },
      h('div', { class: 'heading' }, this.#headline, this.#detail),
      create('retryAll', 'retry-all'), create('continueAll', 'continue-all'), create('pauseAll', 'pause-all quiet'), create('resumeAll', 'resume-all'), create('clear', 'clear quiet'),
      this.#progress);
    this.#card = h('div', { part: 'card', class: 'card' }, this.#head, this.list, create('toggle', 'toggle-finished quiet'),
      h('div', { part: 'dropzone', class: 'zone' }, icon('upload'), this.#title, this.#hint,
        h('div', { class: 'buttons' }, this.choose, create('photo', 'take-photo'), create('folder', 'choose-folder'))));
    root.append(this.#card, ...Object.values(this.inputs), this.live);
  }

  /** Gets the state of all uploads in words. */
  get summary(): string {
    return `${this.#headline.textContent}, ${this.#detail.textContent}`.replace(/, $/, '');
  }

  show(language: Language, state: ViewState): void {
    const { total, completed, failed, pending, running, waiting, paused, offset, size, bytesPerSecond, isDisabled } = state;
    const text = language.text.bind(language);
    const isFilled = total > 0;
    const isOpen = running + paused > 0;
    this.#card.classList.toggle('filled', isFilled);
    this.#card.classList.toggle('over', state.isOver);
    this.#card.classList.toggle('halted', running === waiting);
    this.list.classList.toggle('collapsed', state.isCollapsed);
    this.#head.hidden = this.list.hidden = !isFilled;
    this.list.setAttribute('aria-label', text('files'));
    setText(this.#title, text(state.isOver ? 'dropNow' : 'drop'));
    setText(this.#hint, state.hint);
    this.#hint.classList.toggle('notice', state.isNotice);

    setText(this.#headline, running > 0 && running === waiting ? text(navigator.onLine ? 'waiting' : 'offline')
      : running > 0 ? text('uploadingAll', { done: completed, n: completed + running + paused })
      : paused > 0 ? text('paused')
      : completed > 0 || !pending ? text('completedAll', { n: completed })
      : text('pendingAll', { n: pending }));
    const details = [];
    if (isOpen) {
      details.push(language.percent(offset, size), text('amount', { offset: language.bytes(offset), size: language.bytes(size) }));
      if (running > waiting && bytesPerSecond >= 1) {
        details.push(language.speed(bytesPerSecond), text('timeLeft', { time: language.duration((size - offset) / bytesPerSecond) }));
      }
    } else if (completed > 0) {
      details.push(language.bytes(size));
    }

    const failures = failed ? text('failedAll', { n: failed }) : '';
    const detail = details.join(' · ');
    if (this.#detail.textContent !== detail + failures) {
      this.#detail.replaceChildren(detail, ...(failures ? [h('span', { class: 'bad' }, icon('failed'), failures)] : []));
    }

    this.#progress.max = size || 1;
    this.#progress.value = offset;
    this.#progress.hidden = !isOpen;
    this.#progress.setAttribute('aria-label', this.#headline.textContent!);

    const buttons: [ViewAction, boolean, string][] = [
      ['retryAll', state.retryable > 1, text('retryAll')],
      ['continueAll', state.reopenable > 1, text('continueAll')],
      ['pauseAll', running > 0 && total > 1, text('pauseAll')],
      ['resumeAll', running === 0 && paused > 1, text('resumeAll')],
      ['clear', completed > 0 && !isOpen && !state.isForm, text('clear')],
      ['toggle', state.isCollapsible, text(state.isCollapsed ? 'showFinished' : 'hideFinished', { n: completed })],
      ['files', true, text(isFilled ? 'add' : 'choose')],
      ['photo', state.hasPhotos, text('takePhoto')],
      ['folder', state.hasFolders, text('chooseFolder')],
    ];
    const focused = this.root.activeElement;
    for (const [action, isVisible, label] of buttons) {
      const element = this.#buttons[action];
      element.hidden = !isVisible;
      setText(element, label);
      if (focused === element && !isVisible) {
        // The focus moves on when its button disappears.
        (this.#head.querySelector<HTMLElement>('button:not([hidden])') ?? this.choose).focus();
      }
    }

    for (const action of ['files', 'photo', 'folder'] as const) {
      this.#buttons[action].disabled = isDisabled;
    }

    this.#buttons.toggle.setAttribute('aria-expanded', `${!state.isCollapsed}`);
  }
}
