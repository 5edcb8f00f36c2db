// A name in a group, the same for old and new groups.

/** Target of a name. */
export type Link =
  | { readonly kind: 'hard'; readonly address: number }
  /** A path in the same file. */
  | { readonly kind: 'soft'; readonly path: string }
  /** Another file, or a target defined by a program. */
  | { readonly kind: 'elsewhere'; readonly what: string };
