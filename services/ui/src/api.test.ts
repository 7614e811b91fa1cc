import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createPost, newKey } from "./api";

type Reply = number | "no answer";

/** Answer requests with these in turn, the last one for ever; gives each request's key. */
function reply(...replies: Reply[]): string[] {
  const keys: string[] = [];
  vi.stubGlobal("fetch", async (_: string, request: RequestInit) => {
    const answer = replies[Math.min(keys.length, replies.length - 1)] ?? 500;
    keys.push(new Headers(request.headers).get("Idempotency-Key") ?? "");
    expect((request.body as FormData).get("text")).toBe("Hello");
    if (answer === "no answer") throw new TypeError("network");
    const error = { error: { message: `Answered ${answer}.` } };
    return Response.json(answer === 201 ? { id: "1" } : error, { status: answer });
  });
  return keys;
}

/** Send a post, with no time lost in the pauses. */
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

test.each<Reply>(["no answer", 500, 502, 503, 504, 409])(
  "a post that meets '%s' is sent again under its key",
  async (first) => {
    const keys = reply(first, first, 201);
    expect(await send()).toEqual({ id: "1" });
    expect(keys).toEqual(['"key"', '"key"', '"key"']);
  },
);

test.each<Reply>([400, 413, 415, 422])("a post that is refused with %s is not", async (status) => {
  const keys = reply(status);
  expect(await send()).toBe(`Answered ${status}.`);
  expect(keys).toHaveLength(1);
});

test("after some tries the person is told", async () => {
  const keys = reply("no answer");
  expect(await send()).toMatch(/can't be reached/);
  expect(keys).toHaveLength(6);
});

test("no two keys are the same", () => {
  const keys = Array.from({ length: 50 }, newKey);
  expect(new Set(keys).size).toBe(50);
});
