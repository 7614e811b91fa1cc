import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { Health, Post } from "../api";
import { App } from "../App";
import { validatePicture } from "../pictures";
import { remember } from "../sent";
import { Composer, TEXT_MAX } from "./Composer";
import { HealthPanel } from "./HealthPanel";
import { PostCard } from "./PostCard";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  localStorage.clear();
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
  render(<PostCard post={post} now={now} onDeleted={() => {}} />);
  expect(screen.getByRole("status").textContent).toBe("Being checked");
  expect(screen.queryByRole("img")).toBeNull();
});

test("an approved post shows its picture and the confidence of the verdict", () => {
  const approved = { ...post, state: "approved", confidence: 98.25, picture_url: "/p" } as const;
  render(<PostCard post={approved} now={now} onDeleted={() => {}} />);
  expect(screen.getByRole("status").textContent).toBe("Approved · 98.3 % confidence");
  expect(screen.getByRole("img").getAttribute("src")).toBe("/p");
});

test("a refused picture isn't shown", () => {
  render(<PostCard post={{ ...post, state: "refused", confidence: 77 }} now={now} onDeleted={() => {}} />);
  expect(screen.queryByRole("img")).toBeNull();
  expect(screen.getByText(/was refused/)).toBeTruthy();
});

test("only a post of this browser has a button to delete it, while the server keeps its key", () => {
  remember("old", "k", Date.now() - 25 * 3600 * 1000);
  const { rerender } = render(<PostCard post={post} now={now} onDeleted={() => {}} />);
  expect(screen.queryByRole("button")).toBeNull();
  rerender(<PostCard post={{ ...post, id: "old" }} now={now} onDeleted={() => {}} />);
  expect(screen.queryByRole("button")).toBeNull();
  act(() => remember(post.id, "k"));
  rerender(<PostCard post={post} now={now} onDeleted={() => {}} />);
  expect(screen.getByRole("button", { name: "Delete" })).toBeTruthy();
});

test("a post is deleted after a question, with its key", async () => {
  const requests: string[] = [];
  vi.stubGlobal("fetch", async (path: string, request: RequestInit) => {
    requests.push(`${request.method} ${path} ${new Headers(request.headers).get("Idempotency-Key")}`);
    return new Response(null, { status: 204 });
  });
  remember(post.id, "k");
  const deleted = vi.fn();
  render(<PostCard post={post} now={now} onDeleted={deleted} />);
  fireEvent.click(screen.getByRole("button", { name: "Delete" }));
  expect(document.activeElement).toBe(screen.getByRole("button", { name: "Keep" }));
  fireEvent.click(screen.getByRole("button", { name: "Keep" }));
  expect(requests).toEqual([]);
  fireEvent.click(screen.getByRole("button", { name: "Delete" }));
  fireEvent.click(screen.getByRole("button", { name: "Delete post" }));
  await vi.waitFor(() => expect(deleted).toHaveBeenCalledWith(post.id));
  expect(requests).toEqual(['DELETE /api/posts/1 "k"']);
});

test("the server's message is shown when a post can't be deleted", async () => {
  const refusal = { error: { code: "not-sender", message: "Only its sender." } };
  vi.stubGlobal("fetch", async () => Response.json(refusal, { status: 403 }));
  remember(post.id, "k");
  const deleted = vi.fn();
  render(<PostCard post={post} now={now} onDeleted={deleted} />);
  fireEvent.click(screen.getByRole("button", { name: "Delete" }));
  fireEvent.click(screen.getByRole("button", { name: "Delete post" }));
  expect((await screen.findByRole("alert")).textContent).toBe("Only its sender.");
  expect(deleted).not.toHaveBeenCalled();
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

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]);

function pictureOf(content: BlobPart, type = "image/png"): File {
  return new File([content], "a.png", { type });
}

test("a picture that the server would reject is rejected before it is sent", async () => {
  expect(await validatePicture(pictureOf("x", "image/gif"))).toMatch(/PNG, JPEG/);
  expect(await validatePicture(pictureOf(new Uint8Array(5 * 1024 * 1024 + 1)))).toMatch(/5 MiB/);
  expect(await validatePicture(pictureOf("<html>not a picture</html>"))).toMatch(/not a picture/);
  expect(await validatePicture(pictureOf(""))).toMatch(/not a picture/);
  expect(await validatePicture(pictureOf(PNG))).toBeNull();
});

test("a file that is no picture is refused at once, and can be chosen again", async () => {
  render(<Composer onPosted={() => {}} />);
  const input = screen.getByLabelText("Add a picture") as HTMLInputElement;
  fireEvent.change(input, { target: { files: [pictureOf("<html>")] } });
  expect((await screen.findByRole("alert")).textContent).toMatch(/not a picture/);
  expect(input.value).toBe("");
});

test("a picture that the browser can't decode is refused", async () => {
  vi.stubGlobal("URL", { ...URL, createObjectURL: () => "blob:x", revokeObjectURL: () => {} });
  render(<Composer onPosted={() => {}} />);
  fireEvent.change(screen.getByLabelText("Add a picture"), { target: { files: [pictureOf(PNG)] } });
  fireEvent.error(await screen.findByAltText("Selected picture"));
  expect((await screen.findByRole("alert")).textContent).toMatch(/not a picture/);
  expect(screen.queryByAltText("Selected picture")).toBeNull();
});

test("the form says why a post can't be sent", () => {
  render(<Composer onPosted={() => {}} />);
  expect(screen.getByText("Write a text to post.")).toBeTruthy();
  fireEvent.change(screen.getByRole("textbox"), { target: { value: "Hello" } });
  expect(screen.queryByText("Write a text to post.")).toBeNull();
});

test("the limit is shown before it is reached, and no text is cut", () => {
  render(<Composer onPosted={() => {}} />);
  const box = screen.getByRole("textbox") as HTMLTextAreaElement;
  const button = screen.getByRole("button", { name: "Post" }) as HTMLButtonElement;
  fireEvent.change(box, { target: { value: "😀".repeat(TEXT_MAX - 10) } });
  expect(screen.getByText("10 characters left")).toBeTruthy();
  expect(button.disabled).toBe(false);
  fireEvent.change(box, { target: { value: "a".repeat(TEXT_MAX + 7) } });
  expect(screen.getByText(/^7 characters over the limit/)).toBeTruthy();
  expect(box.value).toHaveLength(TEXT_MAX + 7);
  expect(button.disabled).toBe(true);
});

test("Ctrl+Enter posts, and the text has the focus again", async () => {
  vi.stubGlobal("fetch", async () => Response.json(post));
  const posted = vi.fn();
  render(<Composer onPosted={posted} />);
  const box = screen.getByRole("textbox") as HTMLTextAreaElement;
  fireEvent.keyDown(box, { key: "Enter", ctrlKey: true });
  expect(posted).not.toHaveBeenCalled();
  fireEvent.change(box, { target: { value: "Hello" } });
  fireEvent.keyDown(box, { key: "Enter" });
  fireEvent.keyDown(box, { key: "Enter", ctrlKey: true });
  await vi.waitFor(() => expect(posted).toHaveBeenCalledTimes(1));
  await vi.waitFor(() => expect(document.activeElement).toBe(box));
  expect(box.value).toBe("");
});

test("the page says that the server is unreachable", async () => {
  vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("connection refused")));
  vi.stubGlobal("EventSource", class { addEventListener() {} close() {} });
  render(<App />);
  expect((await screen.findByRole("alert")).textContent).toMatch(/^The server is unreachable/);
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
