// Decodes base64.

/**
 * Returns the bytes of base64 text.
 *
 * @throws DOMException for other text.
 */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length); // Uint8Array.from is ten times slower on text.
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
