/** What one operation costs, sample by sample. */
export interface MicroFigure {
  readonly name: string
  readonly nanoseconds: readonly number[]
}
