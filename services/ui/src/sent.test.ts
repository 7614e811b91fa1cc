import { afterEach, expect, test, vi } from "vitest";
import { keyOf, remember } from "./sent";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("the keys of posts are known while the storage of the browser is full", () => {
  remember("first", "one");
  const stored = localStorage;
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => stored.getItem(name),
    setItem: () => {
      throw new DOMException("full", "QuotaExceededError");
    },
  });
  remember("second", "two");
  expect([keyOf("first"), keyOf("second")]).toEqual(["one", "two"]);
});
