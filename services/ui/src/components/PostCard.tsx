import type { Post, PostState } from "../api";
import { formatAgo } from "../posts";
import { useKeyOf } from "../sent";
import { DeleteButton } from "./DeleteButton";

const LABELS: Record<PostState, string> = {
  pending: "Being checked",
  approved: "Approved",
  refused: "Refused",
  failed: "Not checked",
};

/** Placeholder text if the picture isn't shown. */
function placeholder(post: Post): string {
  if (post.state === "pending") return "The picture is shown after approval.";
  if (post.state === "refused") return "The picture was refused.";
  return post.reason ?? "The picture could not be checked.";
}

interface Props {
  post: Post;
  now: number;
  onDeleted: (id: string) => void;
}

/** A post and the state of its moderation; who sent it can delete it. */
export function PostCard({ post, now, onDeleted }: Props) {
  const key = useKeyOf(post.id);
  const confidence = post.confidence === null ? "" : ` · ${post.confidence.toFixed(1)} % confidence`;
  return (
    <article className="card post" data-post={post.id} data-state={post.state}>
      <header>
        <span className={`state ${post.state}`} role="status">
          {LABELS[post.state]}
          {confidence}
        </span>
        <time dateTime={post.created_at} title={new Date(post.created_at).toLocaleString()}>
          {formatAgo(post.created_at, now)}
        </time>
      </header>
      <p className="text">{post.text}</p>
      {post.picture_url ? (
        <img className="picture" src={post.picture_url} alt="Picture of the post" loading="lazy" />
      ) : (
        post.has_picture && <div className={`stand-in ${post.state}`}>{placeholder(post)}</div>
      )}
      {key && <DeleteButton id={post.id} sentWith={key} onDeleted={onDeleted} />}
    </article>
  );
}
