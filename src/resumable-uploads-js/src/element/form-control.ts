import type { Language } from './language.js';
import type { Row } from './row.js';

/** The part of a form control that does not depend on uploads. See https://html.spec.whatwg.org/#form-associated-custom-elements. */
export abstract class FormControl extends HTMLElement {
  static readonly formAssociated = true;

  protected readonly internals = this.attachInternals();
  #ids: readonly string[] = [];

  /** Gets the ids of the completed uploads, in the order of the list. */
  get value(): readonly string[] {
    return this.#ids;
  }

  get type(): string {
    return 'resumable-upload';
  }

  get name(): string {
    return this.getAttribute('name') ?? '';
  }

  set name(value: string) {
    this.setAttribute('name', value);
  }

  get required(): boolean {
    return this.hasAttribute('required');
  }

  set required(value: boolean) {
    this.toggleAttribute('required', value);
  }

  get disabled(): boolean {
    return this.hasAttribute('disabled');
  }

  set disabled(value: boolean) {
    this.toggleAttribute('disabled', value);
  }

  get form(): HTMLFormElement | null {
    return this.internals.form;
  }

  get validity(): ValidityState {
    return this.internals.validity;
  }

  get validationMessage(): string {
    return this.internals.validationMessage;
  }

  get willValidate(): boolean {
    return this.internals.willValidate;
  }

  checkValidity(): boolean {
    return this.internals.checkValidity();
  }

  reportValidity(): boolean {
    return this.internals.reportValidity();
  }

  /** Sets the value and the validity. Returns whether the value has changed. */
  protected setValue(ids: string[], rows: Row[], language: Language, anchor: HTMLElement): boolean {
    const { name } = this;
    const data = new FormData();
    ids.forEach(id => data.append(name, id));
    this.internals.setFormValue(name ? data : null);
    const isFailed = rows.some(row => row.state === 'failed');
    if (rows.length > ids.length) {
      this.internals.setValidity({ customError: true }, language.text(isFailed ? 'failedForm' : 'unfinished'), anchor);
    } else if (this.required && ids.length === 0) {
      this.internals.setValidity({ valueMissing: true }, language.text('required'), anchor);
    } else {
      this.internals.setValidity({});
    }

    const isChanged = ids.join('\n') !== this.#ids.join('\n');
    this.#ids = ids;
    return isChanged;
  }
}
