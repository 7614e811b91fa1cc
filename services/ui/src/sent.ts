/** The keys of the posts that were sent from this browser: by them, their sender can delete them. */

import { useSyncExternalStore } from "react";

const NAME = "vrooli-sent";
/** The server keeps a key for 24 hours. */
const TTL_MS = 24 * 3600 * 1000;

interface Sent {
  id: string;
  key: string;
  time: number;
}

/** Without storage (a private window), posts can be deleted until the page is closed. */
let memory: Sent[] = [];
let isStored = true;
const listeners = new Set<() => void>();

function all(): Sent[] {
  if (!isStored) return memory;
  try {
    return JSON.parse(localStorage.getItem(NAME) ?? "[]") as Sent[];
  } catch {
    return memory;
  }
}

/** Remember the key by which a post was created. */
export function remember(id: string, key: string, now = Date.now()): void {
  memory = [...all().filter((sent) => now - sent.time < TTL_MS), { id, key, time: now }];
  try {
    localStorage.setItem(NAME, JSON.stringify(memory));
    isStored = true;
  } catch {
    isStored = false; // Storage is disabled or full.
  }
  for (const listener of listeners) listener();
}

/** The key by which a post was created in this browser, while the server keeps it. */
export function keyOf(id: string, now = Date.now()): string | null {
  const sent = all().find((item) => item.id === id && now - item.time < TTL_MS);
  return sent?.key ?? null;
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  // Another tab of this browser has sent a post.
  window.addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", listener);
  };
}

/** The same for a component, also if the post is shown before the response to its sender arrives. */
export function useKeyOf(id: string): string | null {
  return useSyncExternalStore(listen, () => keyOf(id));
}
