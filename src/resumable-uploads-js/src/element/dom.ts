type Props = Record<string, string | boolean | ((event: any) => void) | undefined>;

/** Creates an element. `on...` properties are event handlers, others are attributes. Text is never HTML. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') {
      element.addEventListener(name.slice(2), value);
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? '' : value);
    }
  }

  element.append(...children);
  return element;
}

/** Creates a button. */
export function button(part: string, onclick: () => void, ...children: (Node | string)[]): HTMLButtonElement {
  return h('button', { type: 'button', part: `button ${part}`, class: part, onclick }, ...children);
}

/** Changes a text only if it differs, so that the browser does no work and a selection is kept. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

const paths = {
  upload: 'M12 16V4.5m-5 5 5-5 5 5M4 16v2.5A1.5 1.5 0 0 0 5.5 20h13a1.5 1.5 0 0 0 1.5-1.5V16',
  pause: 'M9 6v12M15 6v12',
  resume: 'M8 5.5v13l10.5-6.5z',
  remove: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  done: 'M5 12.5l4.5 4.5L19 7.5',
  failed: 'M12 7.5v5.5M12 16.2v.3M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z',
  file: 'M7 3.5h6.5L18 8v12.5H7zM13.5 3.5V8H18',
};

export type Icon = keyof typeof paths;

/** Creates an icon, which screen readers skip. */
export function icon(name: Icon): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS(svg.namespaceURI, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', paths[name]);
  svg.append(path);
  return svg;
}
