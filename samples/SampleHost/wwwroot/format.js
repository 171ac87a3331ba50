const locale = 'en-GB';
const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const dates = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });

/** Formats a number of bytes, such as `3.4 MB`. @param {number} count */
export function bytes(count) {
  let unit = 0;
  let value = count;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }

  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Returns a percentage, rounded down, so that 100 means complete. @param {number} part @param {number} whole */
export function percent(part, whole) {
  return part >= whole ? 100 : Math.floor((100 * part) / whole);
}

/** Formats a duration, such as `2 min 5 s`. @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(1, Math.ceil(seconds));
  const parts = [[Math.floor(whole / 86_400), 'd'], [Math.floor(whole / 3600) % 24, 'h'], [Math.floor(whole / 60) % 60, 'min'], [whole % 60, 's']];
  const first = parts.findIndex(([value]) => value > 0);
  return parts.slice(first, first + 2).filter(([value]) => value > 0).map(([value, unit]) => `${value} ${unit}`).join(' ');
}

/** Formats a date and time. @param {Date} time */
export function date(time) {
  return dates.format(time);
}

/** Returns the extension of a file name if it has at most four characters, or an empty string. @param {string} name */
export function extension(name) {
  return /[^.]\.([\p{L}\p{N}]{1,4})$/u.exec(name)?.[1] ?? '';
}
