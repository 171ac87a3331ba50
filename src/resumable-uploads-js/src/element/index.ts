// The bundle starts with the texts, which compress better there.
export { languages, type TextSource } from './language.js';
import { ResumableUploadElement } from './element.js';

export * from '../index.js';
export { ResumableUploadElement } from './element.js';
export type { TextKey, Texts } from './texts.js';

declare global {
  interface HTMLElementTagNameMap {
    'resumable-upload': ResumableUploadElement;
  }
}

customElements.get('resumable-upload') ?? customElements.define('resumable-upload', ResumableUploadElement);
