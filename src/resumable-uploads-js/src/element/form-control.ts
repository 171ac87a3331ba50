import type { UploadResult } from '../core/types.js';
import type { Language } from './language.js';
import type { Row } from './row.js';

/** What a form remembers of a completed upload. */
export type CompletedUpload = Pick<UploadResult, 'id'> & { name: string; relativePath: string; size: number; offset: number; state: 'completed'; result: Pick<UploadResult, 'kind'> };

/** The part of a form control that does not depend on uploads. See https://html.spec.whatwg.org/#form-associated-custom-elements. */
export abstract class FormControl extends HTMLElement {
  static readonly formAssociated = true;

  readonly #internals = this.attachInternals();
  #ids: readonly string[] = [];

  /** Gets the ids of the completed uploads, in the order of the list. */
  get value(): readonly string[] {
    return this.#ids;
  }

  get name(): string {
    return this.getAttribute('name') ?? '';
  }

  set name(value: string) {
    this.setAttribute('name', value);
  }

  get form(): HTMLFormElement | null {
    return this.#internals.form;
  }

  get validationMessage(): string {
    return this.#internals.validationMessage;
  }

  checkValidity(): boolean {
    return this.#internals.checkValidity();
  }

  reportValidity(): boolean {
    return this.#internals.reportValidity();
  }

  /**
   * Sets the value and the validity. Returns whether the value has changed.
   * @param adding the number of additions whose files are not in the list yet
   */
  protected _setValue(completed: CompletedUpload[], rows: Row[], adding: number, { _text: text }: Language, anchor: HTMLElement): boolean {
    const { name } = this;
    const data = new FormData();
    const ids = completed.map(({ id }) => id);
    ids.forEach(id => data.append(name, id));
    // The state, which the browser keeps while the user is on another page, has what the list shows.
    this.#internals.setFormValue(name ? data : null, JSON.stringify(completed, ['id', 'name', 'relativePath', 'size', 'offset', 'state', 'result', 'kind']));
    const count = rows.length + adding;
    const isOpen = count > ids.length;
    const isMissing = !count && this.hasAttribute('required');
    this.#internals.setValidity(
      { customError: isOpen, valueMissing: isMissing },
      text(isMissing ? 'required' : rows.some(row => row._state() === 'failed') ? 'fix' : 'wait'),
      anchor);
    const isChanged = `${ids}` !== `${this.#ids}`;
    this.#ids = ids;
    return isChanged;
  }
}
