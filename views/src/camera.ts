/** The visible part of the map: moved by mouse, wheel, fingers and keys. */

import type { Spot } from "./projection";

export const CLOSEST = 20_000; // pixels of a degree: 6 metres are one
const KEY_STEP = 60; // pixels
const KEY_ZOOM = 1.6;
const GLIDE = 280; // milliseconds

export class Camera {
  /** Pixels of a degree of latitude. */
  scale = 1;
  x = 0;
  y = 0;
  width = 0;
  height = 0;
  /** Whether the reader has moved the map: a new size then keeps what they look at. */
  moved = false;
  private readonly fingers = new Map<number, Spot>();
  private flight = 0;

  constructor(
    private readonly stage: HTMLElement,
    private readonly changed: () => void,
    private readonly showAll: () => void,
  ) {
    stage.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.onDown(event));
    stage.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"] as const) {
      stage.addEventListener(name, (event) => this.fingers.delete(event.pointerId));
    }
    stage.addEventListener("keydown", (event) => this.onKey(event));
    stage.addEventListener("dblclick", (event) => this.zoom(2, this.under(event)));
  }

  toScreen([x, y]: Spot): Spot {
    return [x * this.scale + this.x, y * this.scale + this.y];
  }

  /** Shows these spots with some room around them. */
  fit(spots: readonly Spot[], closest: number, glides: boolean): void {
    const [xs, ys] = [spots.map(([x]) => x), spots.map(([, y]) => y)];
    const [left, right, top, bottom] = [least(xs), most(xs), least(ys), most(ys)];
    const [room, head] = [Math.min(72, this.width / 6), Math.min(56, this.height / 6)];
    const scale = Math.min(
      closest,
      (this.width - 2 * room) / Math.max(right - left, 1e-9),
      (this.height - 2 * head) / Math.max(bottom - top, 1e-9),
    );
    const usable = Math.max(scale, this.smallest);
    this.go(
      usable,
      this.width / 2 - ((left + right) / 2) * usable,
      this.height / 2 - ((top + bottom) / 2) * usable,
      glides,
    );
  }

  /** Moves a spot to the middle if it is not well visible. */
  reveal(spot: Spot, closest: number): void {
    const [x, y] = this.toScreen(spot);
    const isVisible = x > 30 && y > 30 && x < this.width - 30 && y < this.height - 100;
    if (isVisible && this.scale >= closest) return;
    const scale = Math.max(this.scale, closest);
    // above the card, which covers the lower part of a low map
    this.go(scale, this.width / 2 - spot[0] * scale, this.height * (this.height < 420 ? 0.25 : 0.4) - spot[1] * scale, true);
  }

  zoom(factor: number, around: Spot = [this.width / 2, this.height / 2]): void {
    const scale = Math.max(this.smallest, Math.min(CLOSEST, this.scale * factor));
    const real = scale / this.scale;
    this.moved = true;
    this.set(scale, around[0] - (around[0] - this.x) * real, around[1] - (around[1] - this.y) * real);
  }

  /** All of the world can be seen, not less. */
  private get smallest(): number {
    return Math.max(Math.min(this.height / 200, this.width / 320), 0.2);
  }

  private set(scale: number, x: number, y: number): void {
    cancelAnimationFrame(this.flight);
    this.apply(scale, x, y);
  }

  private apply(scale: number, x: number, y: number): void {
    this.scale = scale;
    this.x = x;
    // the poles stay at the edges or outside, but for some room; a world that is lower than the stage is in its middle
    const room = Math.min(30, this.height / 10);
    const isLow = 180 * scale + 2 * room < this.height;
    this.y = isLow ? this.height / 2 : Math.min(90 * scale + room, Math.max(this.height - 90 * scale - room, y));
    this.changed();
  }

  private go(scale: number, x: number, y: number, glides: boolean): void {
    cancelAnimationFrame(this.flight);
    if (!glides || matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.apply(scale, x, y);
      return;
    }
    const [from, start] = [{ scale: this.scale, x: this.x, y: this.y }, performance.now()];
    const step = (now: number): void => {
      const part = Math.min(1, Math.max(0, (now - start) / GLIDE));
      const eased = 1 - (1 - part) ** 3;
      const current = from.scale * (scale / from.scale) ** eased;
      // the share of the way that keeps the picture's middle on a straight line
      const share = scale === from.scale ? eased : (current - from.scale) / (scale - from.scale);
      this.apply(current, from.x + (x - from.x) * share, from.y + (y - from.y) * share);
      if (part < 1) this.flight = requestAnimationFrame(step);
    };
    this.flight = requestAnimationFrame(step);
  }

  private onWheel(event: WheelEvent): void {
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : event.ctrlKey ? 0.01 : 0.002)), this.under(event));
  }

  private onDown(event: PointerEvent): void {
    if (event.button !== 0 || (event.target as Element).closest("button, a")) return;
    this.fingers.set(event.pointerId, this.under(event));
  }

  private onMove(event: PointerEvent): void {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const now = this.under(event);
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (!other && Math.hypot(now[0] - before[0], now[1] - before[1]) < 3) return; // a click trembles
    this.stage.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, now);
    this.moved = true;
    if (other) {
      const [was, is] = [before, now].map(([x, y]) => Math.max(20, Math.hypot(x - other[0], y - other[1]))) as [number, number];
      this.zoom(is / was, other);
    } else {
      this.set(this.scale, this.x + now[0] - before[0], this.y + now[1] - before[1]);
    }
  }

  private onKey(event: KeyboardEvent): void {
    if (event.target !== this.stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const [x, y] = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
    if (x || y) this.set(this.scale, this.x + (x ?? 0) * KEY_STEP, this.y + (y ?? 0) * KEY_STEP);
    else if (event.key === "+" || event.key === "=") this.zoom(KEY_ZOOM);
    else if (event.key === "-") this.zoom(1 / KEY_ZOOM);
    else if (event.key === "0") this.showAll();
    else return;
    this.moved = event.key !== "0";
    event.preventDefault();
  }

  private under(event: MouseEvent): Spot {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
}

function least(values: readonly number[]): number {
  return values.reduce((one, other) => Math.min(one, other), Infinity);
}

function most(values: readonly number[]): number {
  return values.reduce((one, other) => Math.max(one, other), -Infinity);
}
