/** A parsed filter. Its values are Java's: which of its number types a constant has decides how it is compared. */
import type { Value } from './value.ts'

export type Comparison = '=' | '>' | '>=' | '<' | '<='
export type TextTest = 'CONTAINS' | 'STARTSWITH' | 'ENDSWITH'

export type Expression =
  | { readonly kind: 'constant'; readonly value: Value }
  /** `slot` is the place of the name among those that the filter reads. */
  | { readonly kind: 'property'; readonly slot: number; readonly name: string }
  /** A property where a truth is wanted: properties are strings, so it is false when set and unknown when not. */
  | { readonly kind: 'cast'; readonly of: Expression }
  | { readonly kind: 'negate'; readonly of: Expression }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Expression[] }
  | {
      readonly kind: 'compare'
      readonly operator: Comparison
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly kind: 'isNull'; readonly of: Expression }
  | { readonly kind: 'in'; readonly of: Expression; readonly values: ReadonlySet<string>; readonly negated: boolean }
  | {
      readonly kind: 'text'
      readonly test: TextTest
      readonly of: Expression
      readonly search: string
      readonly negated: boolean
    }

/** RocketMQ BooleanExpression: what can stand where a truth is wanted. */
export function isBoolean(expression: Expression): boolean {
  if (expression.kind === 'constant') return expression.value === null || typeof expression.value === 'boolean'
  return expression.kind !== 'property' && expression.kind !== 'negate'
}
