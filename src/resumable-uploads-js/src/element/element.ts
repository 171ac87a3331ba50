import type { ResumableUpload } from '../core/upload.js';
import { getFiles, getTransferredFiles, type FileItem } from '../queue/items.js';
import { UploadQueue } from '../queue/queue.js';
import type { PendingUpload, QueueOptions } from '../queue/types.js';
import { createAnnouncer } from './announcer.js';
import { check, isAccepted } from './checks.js';
import { listen } from './file-sources.js';
import { FormControl, type CompletedUpload } from './form-control.js';
import { createLanguage, getTexts, languageOf } from './language.js';
import { uploadOf, type RefusedFile, type Row, type RowAction, type RowHost } from './row.js';
import { createRows } from './rows.js';
import type { Texts } from './texts.js';
import { createView, type ViewAction } from './view.js';

const renderInterval = 80;

/** `<resumable-upload>`: lets people choose, drop, paste or photograph files, and uploads them. */
export class ResumableUploadElement extends FormControl implements RowHost {
  static readonly observedAttributes = ['accept', 'disabled', 'folders', 'lang', 'max-file-size', 'max-files', 'name', 'required'];

  /** The options of the queue, such as headers. Set them before the element is connected. */
  options: Partial<QueueOptions> = {};
  _language = createLanguage('en', {});

  readonly #view = createView(this.attachShadow({ mode: 'open', delegatesFocus: true }), action => this.#act(action));
  readonly #rows = createRows(this.#view._list, this, this.#view._choose);
  readonly #announce = createAnnouncer(this.#view._live, this.#view._summary);
  #texts: Partial<Texts> = {};
  #queue: UploadQueue | undefined;
  #ownsQueue = false;
  #connection = new AbortController();
  /** The number of calls of `#add` that read files. */
  #adding = 0;
  #isCollapsed = true;
  #isOver = false;
  #notice = '';
  #rowToMatch: Row | undefined;
  readonly #scheduleSync = once(queueMicrotask, () => this.#sync());
  readonly #scheduleRender = once(action => setTimeout(action, renderInterval), () => this.#render());

  constructor() {
    super();
    for (const input of Object.values(this.#view._inputs)) {
      input.onchange = () => {
        const files = [...input.files!];
        // Otherwise choosing the same file again raises no event.
        input.value = '';
        void this.#addChosen(files);
      };
    }
  }

  /** Gets or sets the queue. With a queue of the app, uploads continue when the element is removed. Set it before the element is connected. */
  get queue(): UploadQueue {
    if (!this.#queue) {
      this.queue = new UploadQueue({
        url: this.getAttribute('url') ?? 'upload',
        // Another field does not show the unfinished uploads of this one.
        storage: `resumable-uploads${this.name && '-' + this.name}`,
        ...this.options,
      });
      this.#ownsQueue = true;
      void this.#queue!.restore();
    }

    return this.#queue!;
  }

  set queue(queue: UploadQueue) {
    this.#ownsQueue &&= queue === this.#queue;
    this.#queue = queue;
    const { signal } = this.#connection;
    for (const type of ['add', 'remove', 'change', 'pending']) {
      queue.addEventListener(type, this.#scheduleSync, { signal });
    }

    queue.addEventListener('progress', this.#scheduleRender, { signal });
    this.#scheduleSync();
  }

  /** Gets or sets texts that replace those of the language. */
  get texts(): Partial<Texts> {
    return this.#texts;
  }

  set texts(value: Partial<Texts>) {
    this.#texts = value;
    this.#update();
  }

  /** Gets the maximum size of a file in bytes. */
  get _maxSize(): number {
    return this.#limit('max-file-size');
  }

  /** Adds files. Those that a check refuses are listed with the reason. */
  addFiles(files: Iterable<File>): Promise<ResumableUpload[]> {
    return this.#add(getFiles(files));
  }

  connectedCallback(): void {
    if (this.#connection.signal.aborted && this.#ownsQueue) {
      // The element was removed before, and is inserted again.
      this.#queue!.resume();
    }

    this.#connection.abort();
    const { signal } = this.#connection = new AbortController();
    listen(this.hasAttribute('page-wide') ? document : this, {
      _isDisabled: () => this.#isDisabled,
      _showDragOver: isOver => {
        this.#isOver = isOver;
        this.#render();
      },
      // The data is readable only during the event, so that it is read at once.
      _accept: data => this.#add(getTransferredFiles(data)),
    }, signal);
    // A person who has signed in in another tab returns.
    addEventListener('focus', () => this.#rows._all().forEach(row => row._remedy() === 'signIn' && uploadOf(row)!.start()), { signal });
    this.#update();
    // Properties such as `headers` and `queue` can be set directly after the element was connected.
    queueMicrotask(() => {
      if (this.isConnected) {
        // Adds the listeners of this connection.
        this.queue = this.queue;
      }
    });
  }

  disconnectedCallback(): void {
    const connection = this.#connection;
    // An element that is moved is connected again at once.
    queueMicrotask(() => {
      if (this.#connection === connection) {
        connection.abort();
        if (this.#ownsQueue) {
          this.#queue!.pause();
        }
      }
    });
  }

  attributeChangedCallback(): void {
    this.#update();
  }

  formDisabledCallback(): void {
    this.#render();
  }

  /** Empties the list, except for uploads of an earlier visit. The server keeps the uploads, because the form may have been sent. */
  formResetCallback(): void {
    this.#rows._all().forEach(row => this.#drop(row));
  }

  /** Lists the completed uploads again after the user has left the page and returned. The state of an earlier version is no text. */
  formStateRestoreCallback(state: unknown): void {
    if (typeof state === 'string') {
      JSON.parse(state).forEach((upload: CompletedUpload) => this.#rows._others.set(upload.id, upload));
      this.#scheduleSync();
    }
  }

  /** Performs an action of a row. */
  _act(row: Row, action: RowAction): void {
    const upload = uploadOf(row);
    const url = this.getAttribute('sign-in-url');
    if (action === 'pause') {
      upload!.pause();
    } else if (action === 'cancel' || action === 'remove') {
      const { _item: item } = row;
      if (row._state() === 'pending' || this.name && (item as CompletedUpload).result?.kind === 'completed') {
        // The form does not refer to the upload any more, so that nothing would use or delete it.
        void this.queue.forget(item as PendingUpload | ResumableUpload);
      } else if (upload?.failure?.reason !== 'taken-over') {
        void upload?.cancel();
      }

      this.#drop(row);
      this.#announce(this._language._text('removed', { name: item.name }));
    } else if (action === 'chooseAgain') {
      this.#act('files');
      this.#rowToMatch = row;
    } else if (action === 'signIn' && (url || !this.#dispatch('signin', upload!, true))) {
      // An app without a URL handles the event, for example with a dialog. Otherwise the upload is tried again.
      if (url) {
        open(url, '_blank', 'noopener');
      }
    } else {
      void (upload?.start() ?? this.queue.reopen());
    }
  }

  get #isDisabled(): boolean {
    return this.matches(':disabled');
  }

  get #accept(): string {
    return this.getAttribute('accept') ?? '';
  }

  #act(action: ViewAction): void {
    const { queue } = this;
    if (action === 'showFinished') {
      this.#isCollapsed = !this.#isCollapsed;
      this.#render();
    } else if (action in this.#view._inputs) {
      this.#rowToMatch = undefined;
      this.#view._inputs[action as 'files'].click();
    } else {
      void queue[action as 'pause']();
      if (action === 'resume') {
        queue.uploads.forEach(upload => upload.resume());
      }
    }
  }

  /** Updates the rows and the value, and reports new states. */
  #sync(): void {
    const changed = this.#rows._sync(this.#queue);
    const rows = this.#rows._all();
    const completed = rows.filter(row => row._state() === 'completed').map(row => row._item as CompletedUpload);
    if (this._setValue(completed, rows, this.#adding, this._language, this.#view._choose)) {
      this.dispatchEvent(new Event('change', { bubbles: true }));
    }

    this.#render();
    for (const row of changed) {
      const state = row._state();
      const upload = uploadOf(row);
      if (state === 'failed' || state === 'completed') {
        this.#announce(state === 'failed' || rows.length === 1 ? row._message() : this.#view._summary());
        if (upload) {
          this.#dispatch(`upload${state}`, upload);
        }
      }
    }
  }

  #dispatch(type: string, detail: ResumableUpload, cancelable = false): boolean {
    return this.dispatchEvent(new CustomEvent(type, { detail, cancelable, bubbles: true, composed: true }));
  }

  #render(): void {
    const { _language: language, _maxSize: maxSize } = this;
    const rows = this.#rows._all();
    const maxFiles = this.#limit('max-files');
    const isTouch = matchMedia('(pointer:coarse)').matches;
    const { files } = this.#view._inputs;
    files.accept = this.#accept;
    files.multiple = maxFiles !== 1;
    rows.forEach(row => row._show());
    this.#view._show(language, this.#queue, rows, {
      _hint: this.#notice || [
        ...maxFiles < Infinity ? [language._text('maxFiles', { n: maxFiles })] : [],
        ...maxSize < Infinity ? [language._text('maxSize', { size: language._bytes(maxSize) })] : [],
      ].join(' · '),
      _isNotice: !!this.#notice,
      _isOver: this.#isOver,
      _isDisabled: this.#isDisabled,
      _hasFolders: !isTouch && this.hasAttribute('folders'),
      _hasPhotos: isTouch && isAccepted({ name: '.jpg', type: 'image/jpeg' }, this.#accept),
      _isCollapsed: this.#isCollapsed,
      _isForm: !!this.name,
    });
  }

  /** Adds chosen files. For a row that waits for its file, adds only that file. */
  async #addChosen(files: File[]): Promise<void> {
    const row = this.#rowToMatch;
    this.#rowToMatch = undefined;
    const isPending = row?._state() === 'pending';
    if (!isPending || files.some(file => file.name === row._item.name && file.size === row._item.size)) {
      if (row && !isPending) {
        this.#drop(row);
      }

      await this.addFiles(files);
    }

    if (isPending && this.#queue!.pending.includes(row._item as PendingUpload)) {
      row._show(this._language._text('otherFile'));
      this.#announce(row._message());
    }
  }

  async #add(source: Promise<FileItem[]>): Promise<ResumableUpload[]> {
    if (this.#isDisabled) {
      return [];
    }

    // The form waits until the files are in the list.
    this.#adding++;
    this.#sync();
    try {
      const items = await source;
      const maxFiles = this.#limit('max-files');
      const free = Math.max(0, maxFiles - this.#rows._all().filter(row => row._state() !== 'failed').length);
      this.#notice = items.length > free ? this._language._text('tooMany', { n: maxFiles }) : '';
      const accepted: FileItem[] = [];
      for (const item of items.slice(0, free)) {
        const failure = check(item.file, this.#accept, this._maxSize);
        if (failure) {
          const { name, size } = item.file;
          this.#rows._others.set(item.file, { ...item, name, size, failure });
        } else {
          accepted.push(item);
        }
      }

      const { queue } = this;
      const before = queue.uploads.length;
      const uploads = await queue.add(accepted);
      const n = queue.uploads.length - before;
      this.#announce(this.#notice || (uploads.length ? this._language._text('added', { n }) : ''));
      return uploads;
    } finally {
      this.#adding--;
      this.#scheduleSync();
    }
  }

  /** Removes a row that is not pending, and stops its upload. */
  #drop(row: Row): void {
    const upload = uploadOf(row);
    if (upload) {
      upload.pause();
      this.queue.remove(upload);
    }

    this.#rows._others.delete((row._item as CompletedUpload).id ?? (row._item as RefusedFile).file);
    this.#scheduleSync();
  }

  #update(): void {
    const tag = languageOf(this);
    const texts = getTexts(tag);
    const setTexts = (loaded: Partial<Texts>): void => {
      this._language = createLanguage(tag, { ...loaded, ...this.#texts });
      this.#scheduleSync();
    };
    if (texts instanceof Promise) {
      if (this._language._tag !== tag) {
        setTexts({});
      }

      // Without them, the texts stay English.
      void texts.then(loaded => languageOf(this) === tag && setTexts(loaded), () => {});
    } else {
      setTexts(texts);
    }

    this.#scheduleSync();
  }

  /** Returns the limit in an attribute, or `Infinity`. */
  #limit(attribute: string): number {
    return Number(this.getAttribute(attribute)) || Infinity;
  }
}

/** Returns a function that schedules an action, unless it is scheduled already. */
function once(schedule: (action: () => void) => unknown, action: () => void): () => void {
  let isScheduled = false;
  return () => {
    if (!isScheduled) {
      isScheduled = true;
      schedule(() => {
        isScheduled = false;
        action();
      });
    }
  };
}
