import { en, type TextKey, type Texts, type TextValues } from './texts.js';

/** Texts, or a function that loads them. */
export type TextSource = Partial<Texts> | (() => Promise<Partial<Texts>>);

/** The texts by language. An app can add languages. */
export const languages: Record<string, TextSource> = { en, de: async () => (await import('./de.js')).de };

const prefixes = ['', 'kilo', 'mega', 'giga', 'tera'];

/** Texts and numbers in one language. */
export interface Language {
  readonly _tag: string;
  /** Returns a text with its values filled in. */
  _text(key: TextKey, values?: TextValues): string;
  /** Formats a number of bytes, such as `3.4 MB`. */
  _bytes(count: number): string;
  /** Returns a percentage, rounded down, so that 100 % means complete. */
  _percent(part: number, whole: number): string;
  /** Formats a speed and the time that remains, such as `3.4 MB/s` and `2 min left`. Returns nothing if the speed is not known. */
  _speed(bytesPerSecond: number, remaining: number): string[];
}

export function createLanguage(tag: string, replaced: Partial<Texts>): Language {
  const texts: Texts = { ...en, ...replaced };
  const plural = new Intl.PluralRules(tag);
  const format = (value: number, options: Intl.NumberFormatOptions): string => value.toLocaleString(tag, { maximumFractionDigits: 0, ...options }).replace(' ', '\xa0');
  const unit = (value: number, name: string, maximumFractionDigits = 0): string => format(value, { style: 'unit', unit: name, maximumFractionDigits });
  const text: Language['_text'] = (key, values = {}) => {
    const source = texts[key];
    const [first, other = first] = typeof source === 'function' ? [source(values)] : source.split('|');
    return (values.n !== undefined && plural.select(values.n) !== 'one' ? other : first)!
      .replace(/\{(\w+)\}/g, (_, name: string) => typeof values[name] === 'number' ? format(values[name], {}) : values[name]!);
  };
  const bytes = (count: number): string => {
    const index = Math.min(prefixes.length - 1, Math.max(0, Math.floor(Math.log10(count + count / 2000) / 3)));
    const value = count / 1000 ** index;
    return index ? unit(value, prefixes[index] + 'byte', value >= 99.95 ? 0 : 1) : format(value, { style: 'unit', unit: 'byte', unitDisplay: 'long' });
  };
  return {
    _tag: tag,
    _text: text,
    _bytes: bytes,
    _percent: (part, whole) => format(part < whole ? Math.floor((100 * part) / whole) / 100 : 1, { style: 'percent' }),
    _speed(bytesPerSecond, remaining) {
      const seconds = remaining / bytesPerSecond;
      const time = seconds < 59.5 ? unit(Math.max(1, seconds), 'second')
        : seconds < 3570 ? unit(seconds / 60, 'minute')
        : seconds < 84_600 ? unit(seconds / 3600, 'hour', 1)
        : unit(seconds / 86_400, 'day', 1);
      return bytesPerSecond < 1 ? [] : [bytes(bytesPerSecond) + '/s', text('timeLeft', { time })];
    },
  };
}

/** Returns the language of an element: that of its nearest ancestor with a `lang`, or of the browser. */
export function languageOf(element: Element): string {
  const { lang } = element.closest<HTMLElement>('[lang]') ?? document.documentElement;
  try {
    return Intl.getCanonicalLocales(lang || navigator.language)[0]!;
  } catch {
    return 'en';
  }
}

/** Returns the texts of a language, or a promise of them if they must be loaded first. */
export function getTexts(tag: string): Partial<Texts> | Promise<Partial<Texts>> {
  const source = languages[tag] ?? languages[tag.split('-')[0]!] ?? en;
  return typeof source === 'function' ? source() : source;
}
