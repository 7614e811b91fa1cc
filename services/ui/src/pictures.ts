/** What the server accepts as a picture, checked before it is sent. */

export const PICTURE_MAX = 5 * 1024 * 1024;
export const TYPES = ["image/png", "image/jpeg", "image/webp"];

/** The first bytes of each type; null is any byte. */
const SIGNATURES: readonly (readonly (number | null)[])[] = [
  [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
  [0xff, 0xd8, 0xff],
  [0x52, 0x49, 0x46, 0x46, null, null, null, null, 0x57, 0x45, 0x42, 0x50],
];
const WRONG_TYPE = "The picture must be a PNG, JPEG or WebP file.";
export const UNREADABLE = "The file is not a picture that can be read.";

/** Why the server would reject this picture, or null. */
export async function validatePicture(picture: File): Promise<string | null> {
  if (!TYPES.includes(picture.type)) return WRONG_TYPE;
  if (picture.size > PICTURE_MAX) return "The picture exceeds 5 MiB.";
  // Browsers derive the type from the name of the file.
  const start = new Uint8Array(await picture.slice(0, 12).arrayBuffer());
  const matches = SIGNATURES.some((bytes) =>
    bytes.every((byte, index) => byte === null || byte === start[index]),
  );
  return matches ? null : UNREADABLE;
}
