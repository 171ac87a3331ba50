/** Creates an element whose classes are also its parts. Text is never HTML. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, names: string, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = names;
  element.setAttribute('part', names);
  element.append(...children);
  return element;
}

export const button = (names: string, onclick: (() => void) | null = null): HTMLButtonElement =>
  Object.assign(h('button', 'button ' + names), { type: 'button', onclick } as const);

/** Changes a text only if it differs, so that a selection is kept. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** Returns the first button that can be focused. */
export const firstButton = (element: Element | null | undefined): HTMLElement | null | undefined =>
  element?.querySelector<HTMLElement>('button:not([hidden])');

const paths = {
  upload: 'M12 16V4.5m-5 5 5-5 5 5M4 16v4h16v-4',
  pause: 'M9 6v12M15 6v12',
  resume: 'M8 5.5v13l10.5-6.5z',
  remove: 'M6.5 6.5l11 11m0-11l-11 11',
  done: 'M5 12.5l4.5 4.5L19 7.5',
  failed: 'M12 7.5V13m0 3.2v.3m0-13a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z',
};

/** Creates an icon, which screen readers skip. */
export function icon(name: keyof typeof paths): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS(svg.namespaceURI, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.ariaHidden = 'true';
  path.setAttribute('d', paths[name]);
  svg.append(path);
  return svg;
}
