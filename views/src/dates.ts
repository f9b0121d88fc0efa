/** Dates as words, by the calendar alone: no time zone of the reader's computer plays a part. */

import type { When } from "./model";

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const LONG_WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY = 86_400_000;

/** Days since 1970; NaN for what is not a date. */
export function dayNumber(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY;
}

export function weekday(date: string): string {
  return WEEKDAYS[new Date(dayNumber(date) * DAY).getUTCDay()] ?? "";
}

export function isWeekend(date: string): boolean {
  return new Date(dayNumber(date) * DAY).getUTCDay() % 6 === 0;
}

/** `21 Jul` */
export function shortDay(date: string): string {
  const [, month, day] = parts(date);
  return `${day} ${MONTHS[month - 1] ?? ""}`;
}

/** `Tue 21 Jul` */
export function dayLabel(date: string): string {
  return `${weekday(date)} ${shortDay(date)}`;
}

/** `Tuesday 21 July 2026`, with the month short */
export function longDay(date: string): string {
  const [year] = parts(date);
  return `${LONG_WEEKDAYS[new Date(dayNumber(date) * DAY).getUTCDay()] ?? ""} ${shortDay(date)} ${year}`;
}

/** `19 – 24 Jul 2026` */
export function span(starts: string, ends: string): string {
  const [year, month, day] = parts(starts);
  const [lastYear, lastMonth, lastDay] = parts(ends);
  if (starts === ends) return `${shortDay(starts)} ${year}`;
  if (year !== lastYear) return `${shortDay(starts)} ${year} – ${shortDay(ends)} ${lastYear}`;
  if (month !== lastMonth) return `${shortDay(starts)} – ${shortDay(ends)} ${year}`;
  return `${day} – ${lastDay} ${MONTHS[month - 1] ?? ""} ${year}`;
}

/** Minutes since midnight. */
export function minutes(time: string): number {
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  return hour * 60 + minute;
}

/** Minutes from one moment to another; undefined if either is not an instant. */
export function between(starts: When, ends: When): number | undefined {
  const [from, to] = [instant(starts), instant(ends)];
  return from === undefined || to === undefined ? undefined : to - from;
}

/** `11:25`, `11:25 – 13:00`, `22:10 – 06:30 +1 d` */
export function clocks(starts: When | undefined, ends: When | undefined): string {
  if (!starts?.time) return "";
  if (!ends?.time) return starts.time;
  const days = dayNumber(ends.date) - dayNumber(starts.date);
  return `${starts.time} – ${ends.time}${days ? ` ${days < 0 ? "−" : "+"}${Math.abs(days)}\u00a0d` : ""}`;
}

function instant(at: When): number | undefined {
  if (at.time === undefined || at.offset === undefined) return undefined;
  return dayNumber(at.date) * 1440 + minutes(at.time) - at.offset;
}

/** `11 h 50 min` */
export function length(count: number): string {
  const hours = Math.floor(count / 60);
  const rest = count % 60;
  return [hours && `${hours} h`, rest && `${rest} min`].filter(Boolean).join(" ") || "0 min";
}

/** `Tokyo` of `Asia/Tokyo` */
export function zoneName(zone: string): string {
  return zone.slice(zone.lastIndexOf("/") + 1).replaceAll("_", " ");
}

/** `UTC+9` */
export function offsetName(offset: number): string {
  const rest = Math.abs(offset) % 60;
  const hours = Math.floor(Math.abs(offset) / 60);
  return `UTC${offset < 0 ? "−" : "+"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}

function parts(date: string): [number, number, number] {
  const [year = 0, month = 0, day = 0] = date.split("-").map(Number);
  return [year, month, day];
}
