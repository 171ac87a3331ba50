import { button, h, icon, setText } from './dom.js';
import type { Language } from './language.js';
import css from './styles.css';

let sheet: CSSStyleSheet | undefined;

export interface ViewEvents {
  choose(kind: 'files' | 'folder' | 'photo'): void;
  pauseAll(): void;
  resumeAll(): void;
  retryAll(): void;
  continueAll(): void;
  toggleFinished(): void;
  clearFinished(): void;
}

/** What the summary above the list shows. */
export interface Summary {
  total: number;
  completed: number;
  failed: number;
  /** The number of uploads that are not completed, failed or paused. */
  running: number;
  paused: number;
  isPaused: boolean;
  waiting: number;
  /** The number of uploads of an earlier visit that can continue with one click. */
  resumable: number;
  /** The number of failed uploads that can be retried. */
  retryable: number;
  offset: number;
  size: number;
  bytesPerSecond: number;
  secondsLeft: number | null;
}

export interface Options { folders: boolean; photos: boolean; isDisabled: boolean; hint: string; isNotice: boolean; isCollapsed: boolean; canCollapse: boolean; canClear: boolean; }

/** The elements in the shadow tree, except the rows. */
export class View {
  readonly files = h('input', { type: 'file', hidden: true, multiple: true, tabindex: '-1', 'aria-hidden': 'true' });
  readonly folder = h('input', { type: 'file', hidden: true, webkitdirectory: true, tabindex: '-1', 'aria-hidden': 'true' });
  readonly photo = h('input', { type: 'file', hidden: true, accept: 'image/*', capture: 'environment', tabindex: '-1', 'aria-hidden': 'true' });
  readonly live = h('div', { class: 'hidden', role: 'status', 'aria-live': 'polite' });
  readonly list = h('ul', { part: 'list', class: 'rows', role: 'list' });
  readonly choose: HTMLButtonElement;
  readonly card: HTMLElement;

  readonly #title = h('p', { class: 'title' });
  readonly #hint = h('p', { part: 'hint', class: 'hint' });
  readonly #headline = h('p', { part: 'summary', class: 'headline' });
  readonly #detail = h('p', { class: 'detail' });
  readonly #progress = h('progress', { part: 'progress overall', value: '0' });
  readonly #head: HTMLElement;
  readonly #foot: HTMLElement;
  readonly #chooseFolder: HTMLButtonElement;
  readonly #takePhoto: HTMLButtonElement;
  readonly #pauseAll: HTMLButtonElement;
  readonly #resumeAll: HTMLButtonElement;
  readonly #retryAll: HTMLButtonElement;
  readonly #continueAll: HTMLButtonElement;
  readonly #toggle: HTMLButtonElement;
  readonly #clear: HTMLButtonElement;

  constructor(root: ShadowRoot, events: ViewEvents) {
    if (sheet === undefined) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
    }

    root.adoptedStyleSheets = [sheet];
    this.choose = button('choose primary', () => events.choose('files'));
    this.#chooseFolder = button('choose-folder', () => events.choose('folder'));
    this.#takePhoto = button('take-photo', () => events.choose('photo'));
    this.#pauseAll = button('pause-all quiet', events.pauseAll);
    this.#resumeAll = button('resume-all quiet', events.resumeAll);
    this.#retryAll = button('retry-all', events.retryAll);
    this.#continueAll = button('continue-all', events.continueAll);
    this.#toggle = button('show-finished quiet', events.toggleFinished);
    this.#clear = button('clear-finished quiet', events.clearFinished);
    this.#head = h('div', { class: 'summary' },
      h('div', { class: 'heading' }, this.#headline, this.#detail),
      h('div', { class: 'all' }, this.#retryAll, this.#continueAll, this.#pauseAll, this.#resumeAll), this.#progress);
    this.#foot = h('div', { class: 'finished' }, this.#toggle, this.#clear);
    const zone = h('div', { part: 'dropzone', class: 'zone' },
      icon('upload'), this.#title, this.#hint, h('div', { class: 'buttons' }, this.choose, this.#takePhoto, this.#chooseFolder));
    this.card = h('div', { part: 'card', class: 'card' }, this.#head, this.list, this.#foot, zone);
    root.append(this.card, this.files, this.folder, this.photo, this.live);
  }

  /** Gets the state of all uploads in words. */
  get summaryText(): string {
    return [this.#headline.textContent, this.#detail.textContent].filter(Boolean).join(', ');
  }

  /** Shows whether files are dragged over the element. */
  showDragOver(isOver: boolean, language: Language): void {
    this.card.classList.toggle('over', isOver);
    setText(this.#title, language.text(isOver ? 'dropNow' : 'drop'));
  }

  /** Shows the texts and which buttons exist. */
  showOptions(language: Language, { folders, photos, isDisabled, hint, isNotice, isCollapsed, canCollapse, canClear }: Options, { total, completed }: Summary): void {
    const isFilled = total > 0;
    this.card.classList.toggle('filled', isFilled);
    this.#head.hidden = this.list.hidden = !isFilled;
    setText(this.choose, language.text(isFilled ? 'add' : 'choose'));
    setText(this.#chooseFolder, language.text('chooseFolder'));
    setText(this.#takePhoto, language.text('takePhoto'));
    setText(this.#title, language.text(this.card.classList.contains('over') ? 'dropNow' : 'drop'));
    setText(this.#hint, hint);
    this.#hint.hidden = hint === '';
    this.#hint.classList.toggle('notice', isNotice);
    this.#chooseFolder.hidden = !folders;
    this.#takePhoto.hidden = !photos;
    for (const element of [this.choose, this.#chooseFolder, this.#takePhoto]) {
      element.disabled = isDisabled;
    }

    this.list.setAttribute('aria-label', language.text('files'));
    this.list.classList.toggle('collapsed', isCollapsed);
    this.#foot.hidden = completed === 0 || !(canCollapse || canClear);
    this.#clear.hidden = !canClear;
    this.#toggle.hidden = !canCollapse;
    this.#toggle.setAttribute('aria-expanded', `${!isCollapsed}`);
    const text = language.text(isCollapsed ? 'showFinished' : 'hideFinished', { n: completed });
    if (this.#toggle.textContent !== text) {
      this.#toggle.replaceChildren(icon('done'), text);
    }

    setText(this.#clear, language.text('clearFinished'));
  }

  /** Shows the state of all uploads together. */
  showSummary(language: Language, summary: Summary): void {
    const { total, completed, failed, running, paused, isPaused, waiting, resumable, retryable, offset, size, bytesPerSecond, secondsLeft } = summary;
    const isOpen = running + paused > 0;
    const pending = total - completed - failed - running - paused;
    setText(this.#headline, running > 0 && running === waiting ? language.text('waitingAll')
      : running > 0 ? language.text('uploadingAll', { done: completed, n: total - failed - pending })
      : paused > 0 ? language.text('pausedAll')
      : completed > 0 ? language.text('completedAll', { n: completed })
      : pending > 0 ? language.text('pendingHandle')
      : language.text('nothing'));
    const texts: (Node | string)[] = [];
    if (isOpen) {
      texts.push(`${language.percent(offset, size)} · ${language.text('amount', { offset: language.bytes(offset), size: language.bytes(size) })}`);
      if (running > waiting && bytesPerSecond >= 1 && secondsLeft !== null) {
        texts.push(` · ${language.speed(bytesPerSecond)} · ${language.text('timeLeft', { time: language.duration(secondsLeft) })}`);
      }
    } else if (completed > 0) {
      texts.push(language.bytes(size));
    }

    if (failed > 0) {
      texts.push(...(texts.length > 0 ? [' · '] : []), h('span', { class: 'failures' }, icon('failed'), language.text('failedAll', { n: failed })));
    }

    const text = texts.map(part => typeof part === 'string' ? part : part.textContent).join('');
    if (this.#detail.textContent !== text) {
      this.#detail.replaceChildren(...texts);
    }

    this.#progress.max = size || 1;
    this.#progress.value = size === 0 ? Number(!isOpen) : offset;
    this.#progress.hidden = !isOpen;
    this.#progress.setAttribute('aria-label', language.text('overall'));
    this.#progress.setAttribute('aria-valuetext', `${this.#headline.textContent}, ${text}`);
    this.card.classList.toggle('halted', running === waiting);
    this.#show(this.#pauseAll, running > 0 && total > 1 && !isPaused, language.text('pauseAll'));
    this.#show(this.#resumeAll, isPaused || (running === 0 && paused > 1), language.text('resumeAll'));
    this.#show(this.#retryAll, retryable > 1, language.text('retryAll'));
    this.#show(this.#continueAll, resumable > 0, language.text('continueAll'));
  }

  /** Shows or hides a button. The focus moves on when its button disappears. */
  #show(element: HTMLButtonElement, isVisible: boolean, text: string): void {
    const isFocused = (element.getRootNode() as ShadowRoot).activeElement === element;
    element.hidden = !isVisible;
    setText(element, text);
    if (isFocused && !isVisible) {
      (this.#head.querySelector<HTMLElement>('button:not([hidden])') ?? this.choose).focus();
    }
  }
}
