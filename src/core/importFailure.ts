// The errors of a failed import() of an optional package.

/** A package that is not installed. */
export class MissingPackage extends Error {
  readonly packageName: string;

  constructor(packageName: string, cause: unknown) {
    super(`its package is not installed: npm install ${packageName}`, { cause });
    this.packageName = packageName;
  }
}

/**
 * Returns the error for a failed import() of an optional package: MissingPackage when it is not installed, else the
 * cause.
 *
 * Every such import() must be directly in a try block with a catch clause. Bundlers then build without a missing
 * package: esbuild and webpack stop at any other import() that they cannot resolve.
 */
export function importFailure(packageName: string, cause: unknown): Error {
  if (isMissing(cause, packageName)) return new MissingPackage(packageName, cause);
  return cause instanceof Error ? cause : new Error(String(cause), { cause });
}

/** Node sets a code; browsers and bundlers only write a message. */
function isMissing(error: unknown, packageName: string): boolean {
  if (!(error instanceof Error) || !error.message.includes(packageName)) return false;
  const code = 'code' in error ? error.code : undefined;
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND' || /resolve|cannot find/i.test(error.message);
}
