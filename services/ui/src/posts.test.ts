import { expect, test } from "vitest";
import { LIST_MAX, type Post } from "./api";
import { formatAgo, merge, reload } from "./posts";

function post(id: string, created: string, changes: Partial<Post> = {}): Post {
  return {
    id,
    text: id,
    state: "pending",
    confidence: null,
    reason: null,
    has_picture: true,
    picture_url: null,
    created_at: created,
    updated_at: created,
    ...changes,
  };
}

const older = post("older", "2026-01-01T10:00:00Z");
const newer = post("newer", "2026-01-01T11:00:00Z");

test("posts are sorted newest first, in any order of arrival", () => {
  expect(merge([newer], older)).toEqual([newer, older]);
  expect(merge([older], newer)).toEqual([newer, older]);
});

test("a verdict replaces the pending post", () => {
  const approved = { ...older, state: "approved" as const, updated_at: "2026-01-01T10:00:05Z" };
  expect(merge([newer, older], approved)).toEqual([newer, approved]);
});

test("an outdated version of a post is ignored", () => {
  const approved = { ...older, state: "approved" as const, updated_at: "2026-01-01T10:00:05Z" };
  expect(merge([approved], older)).toEqual([approved]);
});

test("a reload drops what was deleted, and keeps what arrived meanwhile", () => {
  const arrived = post("arrived", "2026-01-01T12:00:00Z");
  const before = [newer, older];
  expect(reload([arrived, ...before], [newer], before)).toEqual([arrived, newer]);
  expect(reload([arrived, ...before], [older], before)).toEqual([arrived, older]);
  expect(reload(before, [], before)).toEqual([]);
});

test("a post that was deleted while the list was loaded does not come back", () => {
  expect(reload([newer], [newer, older], [newer, older])).toEqual([newer]);
});

test("a reload keeps posts beyond the end of a full list", () => {
  const full = Array.from({ length: LIST_MAX }, (_, number) =>
    post(`${number}`, `2026-01-01T11:00:${59 - number}Z`),
  );
  expect(reload([older], full, [older])).toEqual([...full, older]);
});

test.each([
  [4, "just now"],
  [42, "42 s ago"],
  [150, "2 min ago"],
  [7300, "2 h ago"],
  [-30, "just now"],
])("%i seconds ago is formatted as '%s'", (seconds, text) => {
  const now = Date.parse("2026-01-01T12:00:00Z");
  expect(formatAgo(new Date(now - seconds * 1000).toISOString(), now)).toBe(text);
});
