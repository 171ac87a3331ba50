import { de, en, type TextKey, type Texts } from './texts.js';

/** The texts by language. An app can add languages. */
export const languages: Record<string, Partial<Texts>> = { en, de };

const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
const categories = ['zero', 'one', 'two', 'few', 'many', 'other'];

/** Texts and numbers in one language. */
export class Language {
  readonly #texts: Partial<Texts>;
  readonly #plural: Intl.PluralRules;

  constructor(readonly tag: string, texts: Partial<Texts>) {
    this.#texts = { ...en, ...languages[tag.split('-')[0]!], ...languages[tag], ...texts };
    this.#plural = new Intl.PluralRules(tag);
  }

  /** Returns a text with its values filled in. */
  text(key: TextKey, values: { n?: number; [name: string]: string | number | undefined } = {}): string {
    const forms = this.#texts[key]!.split('|');
    const order = categories.filter(category => this.#plural.resolvedOptions().pluralCategories.includes(category as Intl.LDMLPluralRule));
    const index = values.n === undefined ? 0 : order.indexOf(this.#plural.select(values.n));
    return (forms[index] ?? forms.at(-1)!).replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name];
      return typeof value === 'number' ? value.toLocaleString(this.tag) : value ?? '';
    });
  }

  /** Formats a number of bytes, such as `3.4 MB`. */
  bytes(count: number): string {
    let unit = 0;
    while (count >= 999.5 && unit < units.length - 1) {
      count /= 1000;
      unit++;
    }

    return this.#unit(units[unit]!, count, unit === 0 || count >= 99.95 ? 0 : 1);
  }

  /** Formats a speed, such as `3.4 MB/s`. */
  speed(bytesPerSecond: number): string {
    return `${this.bytes(bytesPerSecond)}/s`;
  }

  /** Returns a percentage, rounded down, so that 100 % means complete. */
  percent(part: number, whole: number): string {
    const ratio = part >= whole ? 1 : Math.floor((100 * part) / whole) / 100;
    return ratio.toLocaleString(this.tag, { style: 'percent' });
  }

  /** Formats a duration in its largest unit, such as `2 min`. */
  duration(seconds: number): string {
    return seconds < 59.5 ? this.#unit('second', Math.max(1, Math.ceil(seconds)))
      : seconds < 3570 ? this.#unit('minute', Math.round(seconds / 60))
      : seconds < 84_600 ? this.#unit('hour', seconds / 3600, 1)
      : this.#unit('day', seconds / 86_400, 1);
  }

  #unit(unit: string, value: number, maximumFractionDigits = 0): string {
    return value.toLocaleString(this.tag, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits });
  }
}

/** Returns the language of an element: of its nearest ancestor with a `lang`, or of the browser. */
export function languageOf(element: Element): string {
  for (let node: Element | null = element; node !== null;) {
    const found: HTMLElement | null = node.closest<HTMLElement>('[lang]:not([lang=""])');
    if (found !== null) {
      return supported(found.lang);
    }

    const root: Node = node.getRootNode();
    node = root instanceof ShadowRoot ? root.host : null;
  }

  return supported(navigator.language);
}

function supported(tag: string): string {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? 'en';
  } catch {
    return 'en';
  }
}
