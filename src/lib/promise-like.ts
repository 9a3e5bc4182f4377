/**
 * Whether a value has to be waited for. A program's promises need not be those of the language: queries of some libraries
 * are thenables.
 */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
