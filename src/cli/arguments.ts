import { InvalidArgumentError } from 'commander'

/** A parser for an option that takes a whole number of `min` to `max`, both included. */
export function integerArgument(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`It must be an integer from ${min} to ${max}.`)
    return value
  }
}

/** A parser for an option that takes a time. */
export function timeArgument(text: string): Date {
  const time = parseTime(text)
  if (time === undefined) throw new InvalidArgumentError('It must be an ISO time such as 2026-01-31T12:00:00Z.')
  return time
}

/** An ISO time; undefined for what is none. */
export function parseTime(text: string): Date | undefined {
  const time = new Date(text)
  return /^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time.getTime()) ? time : undefined
}
