import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { Health, Post } from "../api";
import { Composer, validatePicture } from "./Composer";
import { HealthPanel } from "./HealthPanel";
import { PostCard } from "./PostCard";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const post: Post = {
  id: "1",
  text: "Hello",
  state: "pending",
  confidence: null,
  reason: null,
  has_picture: true,
  picture_url: null,
  created_at: "2026-01-01T10:00:00Z",
  updated_at: "2026-01-01T10:00:00Z",
};
const now = Date.parse("2026-01-01T10:00:30Z");

test("a pending post shows its state and no picture", () => {
  render(<PostCard post={post} now={now} />);
  expect(screen.getByRole("status").textContent).toBe("Being checked");
  expect(screen.queryByRole("img")).toBeNull();
});

test("an approved post shows its picture and the confidence of the verdict", () => {
  const approved = { ...post, state: "approved", confidence: 98.25, picture_url: "/p" } as const;
  render(<PostCard post={approved} now={now} />);
  expect(screen.getByRole("status").textContent).toBe("Approved · 98.3 % confidence");
  expect(screen.getByRole("img").getAttribute("src")).toBe("/p");
});

test("a refused picture isn't shown", () => {
  render(<PostCard post={{ ...post, state: "refused", confidence: 77 }} now={now} />);
  expect(screen.queryByRole("img")).toBeNull();
  expect(screen.getByText(/was refused/)).toBeTruthy();
});

test("an empty post can't be sent", () => {
  render(<Composer onPosted={() => {}} />);
  const button = screen.getByRole("button", { name: "Post" }) as HTMLButtonElement;
  expect(button.disabled).toBe(true);
  fireEvent.change(screen.getByRole("textbox"), { target: { value: "Hello" } });
  expect(button.disabled).toBe(false);
});

test("the server's message is shown when a post is rejected", async () => {
  const rejection = { error: { code: "picture-type", message: "A picture is a PNG." } };
  vi.stubGlobal("fetch", async () => Response.json(rejection, { status: 415 }));
  render(<Composer onPosted={() => {}} />);
  fireEvent.change(screen.getByRole("textbox"), { target: { value: "Hello" } });
  fireEvent.click(screen.getByRole("button", { name: "Post" }));
  expect((await screen.findByRole("alert")).textContent).toBe("A picture is a PNG.");
});

test("a failed post is sent again with the same key, another post with a new key", async () => {
  const keys: string[] = [];
  const rejection = { error: { code: "text-too-long", message: "Too long." } };
  vi.stubGlobal("fetch", async (_: string, request: RequestInit) => {
    keys.push(new Headers(request.headers).get("Idempotency-Key") ?? "");
    return Response.json(rejection, { status: 422 });
  });
  render(<Composer onPosted={() => {}} />);
  for (const text of ["One", "One", "Two"]) {
    fireEvent.change(screen.getByRole("textbox"), { target: { value: text } });
    const button = await screen.findByRole("button", { name: "Post" });
    fireEvent.click(button);
    await screen.findByRole("alert");
  }
  expect(keys).toHaveLength(3);
  expect(keys[0]).toMatch(/^"[0-9a-f]{32}"$/);
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
});

test("an invalid picture is rejected before it is sent", () => {
  expect(validatePicture(new File(["x"], "a.gif", { type: "image/gif" }))).toMatch(/PNG, JPEG/);
  const large = new File([new Uint8Array(5 * 1024 * 1024 + 1)], "a.png", { type: "image/png" });
  expect(validatePicture(large)).toMatch(/5 MiB/);
  expect(validatePicture(new File(["x"], "a.png", { type: "image/png" }))).toBeNull();
});

test("the health panel lists each component and which is down", () => {
  const up = { status: "up", latency_ms: 1.23 } as const;
  const health: Health = {
    status: "degraded",
    version: "1",
    environment: "test",
    database: up,
    redis: up,
    queue: up,
    services: { jobs: { status: "down", latency_ms: 0, error: "no worker" } },
  };
  render(<HealthPanel health={health} live={false} />);
  expect(screen.getByText("Degraded")).toBeTruthy();
  expect(screen.getByText("Jobs").parentElement?.textContent).toContain("down");
  expect(screen.getByText("Live updates").parentElement?.textContent).toContain("reconnecting");
});
