/** Numbers of the steps of a run, as people write them: `1-3,10,12-40`. */
export function parseNumbers(text: string): ReadonlySet<number> {
  const numbers = new Set<number>()
  for (const part of text.split(',')) {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? []
    if (first === undefined) throw new RangeError(`numbers and ranges, as in 1-3,10, not ${text}`)
    for (let number = Number(first); number <= Number(last ?? first); number++) numbers.add(number)
  }
  return numbers
}

export function formatNumbers(numbers: Iterable<number>): string {
  const sorted = [...numbers].sort((a, b) => a - b)
  const ranges: [first: number, last: number][] = []
  for (const number of sorted) {
    const range = ranges.at(-1)
    if (range !== undefined && range[1] === number - 1) range[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',')
}
