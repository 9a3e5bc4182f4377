/* oxlint-disable typescript/no-unsafe-type-assertion, typescript/no-unnecessary-type-parameters --
   what a pinned release or a program of ours printed; the caller names the shape, a wrong one fails the scenario */

export function shaped<T>(value: unknown): T {
  return value as T
}

export function parseJson<T>(text: string): T {
  return shaped<T>(JSON.parse(text))
}
