// What `using` calls at the end of a block.
/// <reference lib="esnext.disposable" />

/**
 * The method that `using` calls, to be spread into an object with `dispose`. Nothing where the engine has no such symbol: there
 * is no `using` there either.
 */
export function disposal(): Disposable {
  const method: Disposable = {
    [Symbol.dispose](this: { dispose(): void }) {
      this.dispose();
    },
  };
  // The name that the method has where the symbol is missing.
  Reflect.deleteProperty(method, 'undefined');
  return method;
}
