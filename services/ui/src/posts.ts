/** The list of posts: pure functions, so that what arrives in any order ends in the same list. */

import type { Post } from "./api";

const newestFirst = (a: Post, b: Post) =>
  b.created_at.localeCompare(a.created_at) || a.id.localeCompare(b.id);

/** The list with the post in it; a version older than the one already shown changes nothing. */
export function merge(posts: readonly Post[], post: Post): readonly Post[] {
  const known = posts.find((other) => other.id === post.id);
  if (known && known.updated_at > post.updated_at) return posts;
  return [...posts.filter((other) => other.id !== post.id), post].sort(newestFirst);
}

/** How long ago something was, in words. */
export function ago(time: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return new Date(time).toLocaleDateString();
}
