import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createPost, newKey } from "./api";

type Reply = number | "no response";

/** Stub fetch with these responses in order, repeating the last; returns the keys of the requests. */
function reply(...replies: Reply[]): string[] {
  const keys: string[] = [];
  vi.stubGlobal("fetch", async (_: string, request: RequestInit) => {
    const status = replies[Math.min(keys.length, replies.length - 1)] ?? 500;
    keys.push(new Headers(request.headers).get("Idempotency-Key") ?? "");
    expect((request.body as FormData).get("text")).toBe("Hello");
    if (status === "no response") throw new TypeError("network");
    const error = { error: { message: `Status ${status}.` } };
    return Response.json(status === 201 ? { id: "1" } : error, { status });
  });
  return keys;
}

/** Send a post with fake timers for the retries. */
async function send(): Promise<unknown> {
  const sent = createPost("Hello", null, "key").catch((error: Error) => error.message);
  await vi.runAllTimersAsync();
  return sent;
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test.each<Reply>(["no response", 500, 502, 503, 504, 409])(
  "a post that fails with '%s' is retried with its key",
  async (first) => {
    const keys = reply(first, first, 201);
    expect(await send()).toEqual({ id: "1" });
    expect(keys).toEqual(['"key"', '"key"', '"key"']);
  },
);

test.each<Reply>([400, 413, 415, 422])("a post that is rejected with %s is not retried", async (status) => {
  const keys = reply(status);
  expect(await send()).toBe(`Status ${status}.`);
  expect(keys).toHaveLength(1);
});

test("an error is shown after the last retry", async () => {
  const keys = reply("no response");
  expect(await send()).toMatch(/is unreachable/);
  expect(keys).toHaveLength(6);
});

test("keys are unique", () => {
  const keys = Array.from({ length: 50 }, newKey);
  expect(new Set(keys).size).toBe(50);
});
