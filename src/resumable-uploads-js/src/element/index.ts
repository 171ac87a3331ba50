import { ResumableUploadElement } from './element.js';

export * from '../index.js';
export { ResumableUploadElement, type UploadEventDetail } from './element.js';
export { languages } from './language.js';
export type { TextKey, Texts } from './texts.js';

declare global {
  interface HTMLElementTagNameMap {
    'resumable-upload': ResumableUploadElement;
  }
}

customElements.get('resumable-upload') ?? customElements.define('resumable-upload', ResumableUploadElement);
