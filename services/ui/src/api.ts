/** The server's API as the page uses it. Everything is same-origin: the Ingress hands on /api. */

export type PostState = "pending" | "approved" | "refused" | "failed";

export interface Post {
  id: string;
  text: string;
  state: PostState;
  /** How sure the verdict is, in percent. */
  confidence: number | null;
  reason: string | null;
  has_picture: boolean;
  /** Only once the picture was approved. */
  picture_url: string | null;
  created_at: string;
  updated_at: string;
}

export interface Check {
  status: "up" | "down";
  latency_ms: number;
  error?: string;
}

export interface Health {
  /** Degraded: it answers, but something that it can do without for a while is down. */
  status: "up" | "degraded" | "down";
  version: string;
  environment: string;
  database: Check;
  redis: Check;
  queue: Check;
  services: Record<string, Check>;
}

/** What a person is told when an answer is no success. */
export class ApiError extends Error {}

const UNREACHABLE = "The server can't be reached. Try again in a moment.";

async function json<T>(request: Promise<Response>, accepted: (status: number) => boolean) {
  let answer: Response;
  try {
    answer = await request;
  } catch {
    throw new ApiError(UNREACHABLE);
  }
  // A proxy's own error page, or the page itself where no Ingress hands on /api, is no JSON.
  const body: unknown = await answer.json().catch(() => null);
  if (body !== null && accepted(answer.status)) return body as T;
  const error = (body as { error?: { message?: string } } | null)?.error;
  throw new ApiError(error?.message ?? UNREACHABLE);
}

const ok = (status: number) => status >= 200 && status < 300;

export async function listPosts(): Promise<Post[]> {
  const body = await json<{ posts: Post[] }>(fetch("/api/posts"), ok);
  return body.posts;
}

export function createPost(text: string, picture: File | null): Promise<Post> {
  const form = new FormData();
  form.set("text", text);
  if (picture) form.set("picture", picture);
  return json<Post>(fetch("/api/posts", { method: "POST", body: form }), ok);
}

/** The health report; the server sends it with status 503 too, when something is down. */
export function readHealth(): Promise<Health> {
  return json<Health>(fetch("/api/health"), (status) => ok(status) || status === 503);
}
