import type { Post, PostState } from "../api";
import { ago } from "../posts";

const WORDS: Record<PostState, string> = {
  pending: "Being checked",
  approved: "Approved",
  refused: "Refused",
  failed: "Not checked",
};

/** What stands in the picture's place while, or because, it isn't shown. */
function standIn(post: Post): string {
  if (post.state === "pending") return "The picture shows here once it is approved.";
  if (post.state === "refused") return "The picture was refused and isn't shown.";
  return post.reason ?? "The picture could not be checked.";
}

/** One post and how far its moderation is. */
export function PostCard({ post, now }: { post: Post; now: number }) {
  const confidence = post.confidence === null ? "" : ` · ${post.confidence.toFixed(1)} % sure`;
  return (
    <article className="card post" data-post={post.id} data-state={post.state}>
      <header>
        <span className={`state ${post.state}`} role="status">
          {WORDS[post.state]}
          {confidence}
        </span>
        <time dateTime={post.created_at} title={new Date(post.created_at).toLocaleString()}>
          {ago(post.created_at, now)}
        </time>
      </header>
      <p className="text">{post.text}</p>
      {post.picture_url ? (
        <img className="picture" src={post.picture_url} alt="What was posted with this text" />
      ) : (
        post.has_picture && <div className={`stand-in ${post.state}`}>{standIn(post)}</div>
      )}
    </article>
  );
}
