/**
 * Errors are a table. Every error that leaves a module carries a stable `code`; callers match codes, never text and
 * never `instanceof`. Each room declares its own table with `defineErrors`.
 */

export interface ErrorSpec {
  /** One sentence for the documentation: what happened and what to do. */
  readonly doc: string
  /** Whether the same request may succeed later or elsewhere. */
  readonly retriable: boolean
}

export class RaftmqError<Code extends string = string> extends Error {
  override readonly name = 'RaftmqError'
  readonly code: Code
  readonly retriable: boolean

  constructor(code: Code, message: string, retriable: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.retriable = retriable
  }
}

export interface ErrorTable<Code extends string> {
  readonly specs: Readonly<Record<Code, ErrorSpec>>
  /** A new error of the table. `message` says what happened, in words a person can act on. */
  create(code: Code, message: string, cause?: unknown): RaftmqError<Code>
}

/** Declares a room's errors: code → retriable and documentation. */
export function defineErrors<const Table extends Record<string, ErrorSpec>>(
  specs: Table,
): ErrorTable<Extract<keyof Table, string>> {
  return {
    specs,
    create(code, message, cause) {
      const spec = specs[code]
      return new RaftmqError(code, message, spec?.retriable ?? false, cause)
    },
  }
}

/** The stable code of anything thrown, or undefined for a foreign error without one. Total: never throws. */
export function errorCode(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined
  return typeof thrown.code === 'string' ? thrown.code : undefined
}

/** A printable message for anything thrown. Total: never throws. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
