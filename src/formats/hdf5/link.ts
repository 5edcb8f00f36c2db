// A name in a group, as both kinds of groups give it.

/** Where a name leads. */
export type Link =
  | { readonly kind: 'hard'; readonly address: number }
  /** A path in the same file. */
  | { readonly kind: 'soft'; readonly path: string }
  /** Another file, or what only a program knows. */
  | { readonly kind: 'elsewhere'; readonly what: string };
