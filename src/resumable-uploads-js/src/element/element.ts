import type { ResumableUpload } from '../core/upload.js';
import type { UploadFailure, UploadOptions, UploadResult } from '../core/types.js';
import { getTransferredFiles, type FileItem } from '../queue/items.js';
import { UploadQueue } from '../queue/queue.js';
import type { PendingUpload } from '../queue/types.js';
import { Announcer } from './announcer.js';
import { check, isAccepted, parseSize } from './checks.js';
import { remedyFor } from './failures.js';
import { listen } from './file-sources.js';
import { FormControl } from './form-control.js';
import { Language, languageOf } from './language.js';
import { Row, type Item, type RefusedFile, type RowAction, type RowHost } from './row.js';
import type { Texts } from './texts.js';
import { Thumbnails } from './thumbnails.js';
import { View, type Summary } from './view.js';

const renderInterval = 80;
const minCollapsed = 6;

/** The detail of the events of one upload. */
export interface UploadEventDetail { upload: ResumableUpload; id: string | null; name: string; result: UploadResult | null; failure: UploadFailure | null; }

/** `<resumable-upload>`: lets people choose, drop, paste or photograph files, and uploads them. */
export class ResumableUploadElement extends FormControl implements RowHost {
  static readonly observedAttributes = ['accept', 'disabled', 'folders', 'lang', 'max-file-size', 'max-files', 'name', 'page-wide', 'required', 'url'];

  readonly thumbnails = new Thumbnails();
  language = new Language('en', {});
  /** The headers of all requests, or a function that returns them. Set it before the first file is added. */
  headers: UploadOptions['headers'];

  readonly #rows = new Map<Item, Row>();
  readonly #refused = new Set<RefusedFile>();
  readonly #view: View;
  readonly #announcer: Announcer;
  #texts: Partial<Texts> = {};
  #queue: UploadQueue | null = null;
  #ownsQueue = false;
  #listeners = new AbortController();
  #connection: AbortController | null = null;
  #isSyncScheduled = false;
  #timer = 0;
  #isCollapsed: boolean | null = null;
  #notice = '';
  #rowToMatch: Row | null = null;
  #isFormDisabled = false;

  constructor() {
    super();
    this.#view = new View(this.attachShadow({ mode: 'open', delegatesFocus: true }), {
      choose: kind => this.#choose(kind),
      pauseAll: () => this.queue.pause(),
      resumeAll: () => {
        this.queue.resume();
        this.queue.uploads.forEach(upload => upload.resume());
      },
      retryAll: () => this.queue.retry(),
      continueAll: () => void this.queue.reopen(),
      toggleFinished: () => {
        this.#isCollapsed = !this.#isFinishedCollapsed;
        this.#render();
      },
      clearFinished: () => {
        this.queue.clearFinished();
        this.#view.choose.focus();
      },
    });
    this.#announcer = new Announcer(this.#view.live, () => this.#view.summaryText);
    for (const input of [this.#view.files, this.#view.folder, this.#view.photo]) {
      input.addEventListener('change', () => {
        const files = [...input.files!];
        // Otherwise choosing the same file again raises no event.
        input.value = '';
        void this.#addChosen(files);
      });
      input.addEventListener('cancel', () => {
        this.#rowToMatch = null;
      });
    }
  }

  /** Gets or sets the queue. An app with several pages can set its own, so that uploads continue when the element is removed. */
  get queue(): UploadQueue {
    if (this.#queue === null) {
      this.#ownsQueue = true;
      this.#attach(new UploadQueue({
        url: this.url,
        headers: refresh => typeof this.headers === 'function' ? this.headers(refresh) : this.headers ?? {},
        credentials: (this.getAttribute('credentials') ?? undefined) as UploadOptions['credentials'],
        concurrency: this.#number('concurrency'),
        chunkSize: this.hasAttribute('chunk-size') ? parseSize(this.getAttribute('chunk-size')) : undefined,
        digest: this.hasAttribute('digest'),
        storage: this.getAttribute('storage') ?? undefined,
      }));
      void this.#queue!.restore().catch(() => undefined);
    }

    return this.#queue!;
  }

  set queue(queue: UploadQueue) {
    this.#ownsQueue = false;
    this.#attach(queue);
  }

  /** Gets or sets the URL of the upload endpoint. Default: `upload`, relative to the page. Changing it has no effect after the first file was added. */
  get url(): string {
    return this.getAttribute('url') || 'upload';
  }

  set url(value: string) {
    this.setAttribute('url', value);
  }

  /** Gets or sets texts that replace those of the language. */
  get texts(): Partial<Texts> {
    return this.#texts;
  }

  set texts(value: Partial<Texts>) {
    this.#texts = value;
    this.#updateLanguage();
  }

  /** Gets the maximum size of a file in bytes. */
  get maxSize(): number {
    return parseSize(this.getAttribute('max-file-size'));
  }

  /** Opens the dialog to choose files. Browsers allow it only during a click or key press. */
  showPicker(): void {
    this.#choose('files');
  }

  /** Adds files. Files that a check refuses are listed with the reason. */
  async addFiles(files: Iterable<File>): Promise<ResumableUpload[]> {
    return this.#add([...files].map(file => ({ file, relativePath: file.webkitRelativePath || file.name })));
  }

  connectedCallback(): void {
    this.#connection?.abort();
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    listen(this.hasAttribute('page-wide') ? document : this, {
      isEnabled: true,
      showDragOver: isOver => this.#view.showDragOver(isOver && !this.#isDisabled, this.language),
      accept: data => void this.#addTransfer(data),
    }, signal);
    for (const type of ['online', 'offline', 'focus']) {
      addEventListener(type, () => type === 'focus' ? this.#retrySignedOut() : this.#render(), { signal });
    }

    this.#updateLanguage();
    // Properties such as `headers` and `queue` can be set after the element is connected.
    queueMicrotask(() => this.isConnected && this.queue);
  }

  disconnectedCallback(): void {
    const connection = this.#connection;
    queueMicrotask(() => {
      // An element that is moved is connected again at once.
      if (this.#connection === connection) {
        connection?.abort();
        if (this.#ownsQueue) {
          this.#queue?.pause();
        }
      }
    });
  }

  attributeChangedCallback(name: string): void {
    if (name === 'page-wide' && this.isConnected) {
      this.connectedCallback();
    } else if (name === 'url' && this.#ownsQueue && this.#rows.size === 0) {
      this.#queue = null;
    }

    this.#updateLanguage();
  }

  formDisabledCallback(isDisabled: boolean): void {
    this.#isFormDisabled = isDisabled;
    this.#render();
  }

  /** Removes all files, as the reset of a form empties its other fields. */
  formResetCallback(): void {
    [...this.#rows.values()].forEach(row => this.#remove(row));
  }

  /** Performs an action of a row. For the rows. */
  act(row: Row, action: RowAction): void {
    const upload = this.#uploadOf(row);
    switch (action) {
      case 'pause': upload?.pause(); break;
      case 'resume': upload?.resume(); break;
      case 'chooseAgain':
        this.#rowToMatch = row;
        this.#view.files.click();
        break;
      case 'remove':
        this.#moveFocusFrom(row);
        this.#remove(row);
        this.#announcer.announce(this.language.text('removed', { name: row.item.name }));
        break;
      case 'signIn':
        if (this.#dispatch('signin', undefined, true) && this.getAttribute('sign-in-url')) {
          open(this.getAttribute('sign-in-url')!, '_blank', 'noopener');
          break;
        }

        upload?.start().catch(() => undefined);
        break;
      default:
        if (upload) {
          upload.start().catch(() => undefined);
        } else {
          void this.queue.reopen();
        }
    }
  }

  get #isDisabled(): boolean {
    return this.#isFormDisabled || this.disabled;
  }

  get #isFinishedCollapsed(): boolean {
    return this.#isCollapsed ?? true;
  }

  #attach(queue: UploadQueue): void {
    this.#listeners.abort();
    this.#listeners = new AbortController();
    this.#queue = queue;
    for (const type of ['add', 'remove', 'change', 'pending']) {
      queue.addEventListener(type, () => this.#scheduleSync(), { signal: this.#listeners.signal });
    }

    queue.addEventListener('progress', () => this.#scheduleRender(), { signal: this.#listeners.signal });
    this.#scheduleSync();
  }

  #scheduleSync(): void {
    if (!this.#isSyncScheduled) {
      this.#isSyncScheduled = true;
      queueMicrotask(() => {
        this.#isSyncScheduled = false;
        this.#sync();
      });
    }
  }

  /** Adds and removes rows, and reports changed states. */
  #sync(): void {
    const items: Item[] = [...this.#queue?.pending ?? [], ...this.#queue?.uploads.filter(upload => upload.state !== 'canceled') ?? [], ...this.#refused];
    const current = new Set(items);
    for (const [item, row] of this.#rows) {
      if (!current.has(item)) {
        this.#moveFocusFrom(row);
        row.dispose();
        this.#rows.delete(item);
      }
    }

    for (const item of items) {
      let row = this.#rows.get(item);
      if (row === undefined) {
        row = new Row(item, this);
        this.#rows.set(item, row);
        this.#view.list.append(row.element);
      }

      if (row.state !== row.reported) {
        row.reported = row.state;
        this.#report(row);
      }
    }

    const rows = [...this.#rows.values()];
    const ids = rows.filter(row => row.state === 'completed').map(row => (row.item as ResumableUpload).id!);
    if (this.setValue(ids, rows, this.language, this.#view.choose)) {
      this.dispatchEvent(new Event('change', { bubbles: true }));
    }

    this.#scheduleRender();
  }

  /** Announces a new state and dispatches its event. */
  #report(row: Row): void {
    const upload = this.#uploadOf(row);
    if (row.state === 'failed') {
      this.#announcer.announce(row.message);
    } else if (row.state === 'completed' && (this.#rows.size <= 3 || this.#queue!.progress.active === 0)) {
      this.#announcer.announce(this.#rows.size === 1 ? row.message : this.#view.summaryText);
    }

    if (upload && (row.state === 'failed' || row.state === 'completed')) {
      const { id, name, result, failure } = upload;
      this.#dispatch(`upload${row.state}`, { upload, id, name, result, failure });
    }
  }

  #dispatch(type: string, detail?: UploadEventDetail, cancelable = false): boolean {
    return this.dispatchEvent(new CustomEvent(type, { detail, cancelable, bubbles: true, composed: true }));
  }

  #scheduleRender(): void {
    this.#timer ||= window.setTimeout(() => {
      this.#timer = 0;
      this.#render();
    }, renderInterval);
  }

  #render(): void {
    const rows = [...this.#rows.values()];
    rows.forEach(row => row.show());
    const count = (...states: string[]): number => rows.filter(row => states.includes(row.state)).length;
    const isPaused = this.#queue?.isPaused ?? false;
    const { offset, size, bytesPerSecond, secondsLeft } = this.#queue?.progress ?? { offset: 0, size: 0, bytesPerSecond: 0, secondsLeft: null };
    const summary: Summary = {
      total: rows.length,
      completed: count('completed'),
      failed: count('failed'),
      running: count('preparing', 'uploading', 'waiting') + (isPaused ? 0 : count('idle')),
      paused: count('paused') + (isPaused ? count('idle') : 0),
      isPaused,
      waiting: count('waiting'),
      resumable: this.#queue?.pending.filter(pending => pending.handle).length ?? 0,
      retryable: rows.filter(row => row.state === 'failed' && row.failure && remedyFor(row.failure)).length,
      offset, size, bytesPerSecond, secondsLeft,
    };
    const { language, maxSize } = this;
    const accept = this.getAttribute('accept') ?? '';
    const maxFiles = this.#number('max-files');
    const limits = [maxFiles && language.text('maxFiles', { n: maxFiles }), Number.isFinite(maxSize) && language.text('maxSize', { size: language.bytes(maxSize) })];
    this.#view.files.accept = accept;
    this.#view.files.multiple = maxFiles !== 1;
    this.#view.showSummary(language, summary);
    this.#view.showOptions(language, {
      folders: this.hasAttribute('folders') && !matchMedia('(pointer: coarse)').matches,
      photos: matchMedia('(pointer: coarse)').matches && isAccepted({ name: 'photo.jpg', type: 'image/jpeg' } as File, accept),
      isDisabled: this.#isDisabled,
      hint: this.#notice || limits.filter(Boolean).join(' · '),
      isNotice: this.#notice !== '',
      isCollapsed: summary.completed >= minCollapsed && this.#isFinishedCollapsed,
      canCollapse: summary.completed >= minCollapsed,
      canClear: this.name === '',
    }, summary);
  }

  #choose(kind: 'files' | 'folder' | 'photo'): void {
    this.#rowToMatch = null;
    if (!this.#isDisabled) {
      this.#view[kind].click();
    }
  }

  /** Adds chosen files. After "Choose file" in a row, only the file of that row. */
  async #addChosen(files: File[]): Promise<void> {
    const row = this.#rowToMatch;
    this.#rowToMatch = null;
    if (row?.state === 'pending' && !files.some(file => file.name === row.item.name && file.size === row.item.size)) {
      this.#showNote(row);
      return;
    }

    const upload = row && this.#uploadOf(row);
    if (upload) {
      this.queue.remove(upload);
    }

    await this.addFiles(files);
    if (row?.state === 'pending' && this.#queue?.pending.includes(row.item as PendingUpload)) {
      this.#showNote(row);
    }
  }

  #showNote(row: Row): void {
    row.note = this.language.text('otherFile');
    row.show();
    this.#announcer.announce(row.message);
  }

  async #addTransfer(data: DataTransfer): Promise<void> {
    // The data is only readable during the event.
    const items = getTransferredFiles(data);
    await this.#add(await items);
  }

  async #add(items: FileItem[]): Promise<ResumableUpload[]> {
    if (this.#isDisabled) {
      return [];
    }

    const maxFiles = this.#number('max-files') ?? Infinity;
    const isFree = maxFiles - [...this.#rows.values()].filter(row => row.state !== 'failed').length;
    this.#notice = items.length > isFree ? this.language.text('tooMany', { n: maxFiles }) : '';
    if (this.#notice) {
      this.#announcer.announce(this.#notice);
    }

    const limits = { accept: this.getAttribute('accept') ?? '', maxSize: this.maxSize };
    const accepted: FileItem[] = [];
    for (const item of items.slice(0, isFree)) {
      const { file, relativePath } = item;
      const failure = check(file, limits);
      if (failure === null) {
        accepted.push(item);
      } else {
        this.#refused.add({ file, name: file.name, relativePath, size: file.size, failure });
      }
    }

    const before = this.queue.uploads.length;
    const uploads = await this.queue.add(accepted);
    const added = this.queue.uploads.length - before;
    if (added > 0) {
      this.#announcer.announce(this.language.text('added', { n: added }));
    } else if (uploads.length > 0) {
      this.#announcer.announce(this.language.text('known', { name: uploads[0]!.name }));
    }

    this.#scheduleSync();
    return uploads;
  }

  #remove({ item, state, failure }: Row): void {
    if (this.#refused.delete(item as RefusedFile)) {
      this.#scheduleSync();
    } else if (state === 'pending') {
      void this.queue.forget(item as PendingUpload);
    } else {
      const upload = item as ResumableUpload;
      if (state === 'completed' && this.name) {
        // The form does not refer to the upload any more, so that nothing would ever use or delete it.
        void this.queue.forget({ ...upload, id: upload.id!, offset: 0 });
      } else if (state !== 'completed' && failure?.reason !== 'taken-over') {
        void upload.cancel();
      }

      this.queue.remove(upload);
    }
  }

  #moveFocusFrom(row: Row): void {
    if (row.hasFocus) {
      const next = (row.element.nextElementSibling ?? row.element.previousElementSibling)?.querySelector<HTMLElement>('button:not([hidden])');
      (next ?? this.#view.choose).focus();
    }
  }

  #retrySignedOut(): void {
    for (const row of this.#rows.values()) {
      if (row.state === 'failed' && row.failure?.reason === 'signed-out') {
        this.#uploadOf(row)?.start().catch(() => undefined);
      }
    }
  }

  #uploadOf(row: Row): ResumableUpload | null {
    return 'start' in row.item ? row.item : null;
  }

  #updateLanguage(): void {
    this.language = new Language(languageOf(this), this.#texts);
    this.#scheduleSync();
    this.#render();
  }

  #number(attribute: string): number | undefined {
    return Number(this.getAttribute(attribute)) || undefined;
  }
}
