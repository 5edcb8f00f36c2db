// The method that `using` calls at the end of a block.
/// <reference lib="esnext.disposable" />

/**
 * The method that `using` calls, to be spread into an object that has `dispose`. Empty where the engine has no
 * `Symbol.dispose`: such an engine does not support `using` either.
 */
export function disposal(): Disposable {
  const method: Disposable = {
    [Symbol.dispose](this: { dispose(): void }) {
      this.dispose();
    },
  };
  // Without the symbol the method would be named 'undefined'.
  Reflect.deleteProperty(method, 'undefined');
  return method;
}
