/** A plot as data; `svg.ts` draws it. */

export interface Axis {
  readonly label: string
  readonly unit: string
  /** Decades instead of equal steps; all values are above 0. */
  readonly isLog?: boolean
  /** Of counts: no steps between whole numbers. */
  readonly isWhole?: boolean
}

export interface Series {
  readonly name: string
  /** In the order of x. */
  readonly points: readonly (readonly [x: number, y: number])[]
  /** Bars: the lowest and the highest of what the bar is the middle of, drawn as a line over it. */
  readonly spreads?: readonly (readonly [x: number, low: number, high: number])[]
}

export interface Plot {
  readonly title: string
  /** Bars: x of a point is the place of its category. */
  readonly kind: 'lines' | 'bars'
  readonly x: Axis
  readonly y: Axis
  readonly categories?: readonly string[]
  readonly series: readonly Series[]
  /** A line across: what is to be reached. */
  readonly bar?: { readonly value: number; readonly text: string }
}

/** The slope of the least-squares line through the points, y for each x; 0 of fewer than two. Pure. */
export function slopeOf(points: Series['points']): number {
  if (points.length < 2) return 0
  const mean = (at: 0 | 1): number => points.reduce((sum, point) => sum + point[at], 0) / points.length
  const [meanX, meanY] = [mean(0), mean(1)]
  let [above, below] = [0, 0]
  for (const [x, y] of points) {
    above += (x - meanX) * (y - meanY)
    below += (x - meanX) ** 2
  }
  return below === 0 ? 0 : above / below
}

/** At most `most` points, each the mean of its neighbours, so that a long run stays small in a file. Pure. */
export function thinned(points: Series['points'], most: number): Series['points'] {
  const each = Math.ceil(points.length / most)
  if (each <= 1) return points
  const means: [number, number][] = []
  for (let at = 0; at < points.length; at += each) {
    const part = points.slice(at, at + each)
    const mean = (of: 0 | 1): number => part.reduce((sum, point) => sum + point[of], 0) / part.length
    means.push([mean(0), mean(1)])
  }
  return means
}
