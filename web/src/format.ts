/** Numbers and times as people read them. */
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const grouped = new Intl.NumberFormat("en");
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** 491400064 → "491 MB": powers of ten, as disks and downloads are sold. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && size < 10 ? 1 : 0;
  return `${size.toFixed(digits)} ${units[unit]}`;
}

/** 494000000 → "494M". */
export function short(value: number): string {
  return compact.format(value);
}

export function count(value: number, noun?: string): string {
  if (noun === undefined) return grouped.format(value);
  return `${grouped.format(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** Milliseconds → "412 ms", "3.1 s", "2 m 05 s". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, "0")} s`;
}

/** Unix seconds → "3 min. ago". */
export function ago(seconds: number, now: number = Date.now() / 1000): string {
  const passed = now - seconds;
  for (const [unit, size] of STEPS) {
    if (passed >= size) return relative.format(-Math.floor(passed / size), unit);
  }
  return "just now";
}

export function moment(seconds: number): string {
  return dateTime.format(seconds * 1000);
}
