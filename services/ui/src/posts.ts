/** Pure functions for the list of posts; the result doesn't depend on the order of events. */

import { LIST_MAX, type Post } from "./api";

const newestFirst = (a: Post, b: Post) =>
  b.created_at.localeCompare(a.created_at) || a.id.localeCompare(b.id);

/** Add or update a post in the list; ignores a version older than the current one. */
export function merge(posts: readonly Post[], post: Post): readonly Post[] {
  const current = posts.find((other) => other.id === post.id);
  if (current && current.updated_at > post.updated_at) return posts;
  return [...posts.filter((other) => other.id !== post.id), post].sort(newestFirst);
}

const idsOf = (posts: readonly Post[]) => new Set(posts.map(({ id }) => id));

/**
 * The list after a reload: without the posts that were deleted meanwhile. Posts that arrived while the
 * list was loaded may be newer than it, and those that are older than a full list are beyond its end.
 */
export function reload(
  current: readonly Post[],
  loaded: readonly Post[],
  before: readonly Post[],
): readonly Post[] {
  const [now, listed, previous] = [idsOf(current), idsOf(loaded), idsOf(before)];
  const end = loaded.length < LIST_MAX ? "" : (loaded.at(-1)?.created_at ?? "");
  const kept = current.filter(
    ({ id, created_at }) => listed.has(id) || !previous.has(id) || created_at < end,
  );
  // An event may have removed a post before the list with it arrived.
  return loaded.filter(({ id }) => now.has(id) || !previous.has(id)).reduce(merge, kept);
}

/** A relative time as text. */
export function formatAgo(time: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return new Date(time).toLocaleDateString();
}
