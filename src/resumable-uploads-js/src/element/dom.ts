/** Creates an element. Text is never HTML. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string | boolean>, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const name in attributes) {
    element.setAttribute(name, attributes[name] === true ? '' : `${attributes[name]}`);
  }

  element.append(...children);
  return element;
}

/** Creates a button. Its parts are also its classes. */
export function button(part: string, onclick: () => void, ...children: Node[]): HTMLButtonElement {
  const element = h('button', { type: 'button', part: `button ${part}`, class: part }, ...children);
  element.onclick = onclick;
  return element;
}

/** Changes a text only if it differs, so that the browser does no work and a selection is kept. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

const paths = {
  upload: 'M12 16V4.5m-5 5 5-5 5 5M4 16v4h16v-4',
  pause: 'M9 6v12M15 6v12',
  resume: 'M8 5.5v13l10.5-6.5z',
  remove: 'M6.5 6.5l11 11m0-11l-11 11',
  done: 'M5 12.5l4.5 4.5L19 7.5',
  failed: 'M12 7.5V13m0 3.2v.3m0-13a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z',
  file: 'M7 3.5h6.5L18 8v12.5H7zM13.5 3.5V8H18',
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
